"""What the processes of the service share: the scoreboard in memory and a folder.

Imports the standard library only.
"""

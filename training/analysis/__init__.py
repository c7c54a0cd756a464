"""What networks do and what that costs: experiments, mistakes, filters. It imports all rooms but `cli` and `train`."""

"""What the benchmarks send and the clients that send it. Imports target, and from service only the image decoder."""

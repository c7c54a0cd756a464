"""Training on several devices or in several processes: strategy, shards of a batch, cluster. It imports `errors`."""

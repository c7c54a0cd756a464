"""What can go wrong in training, one class a fact. The command line prints the sentence and exits with 1."""


class TrainingError(Exception):
    """Anything that stops a command and that its user can do something about."""


class InvalidData(TrainingError):
    """A data set or a file of class names cannot be read, or is not what the recipe or the network takes."""


class InvalidChoice(TrainingError):
    """Options that are right by themselves and do not go together."""


class InvalidNetwork(TrainingError):
    """A network cannot be built, loaded or used with this recipe."""


class InvalidModel(TrainingError):
    """An ONNX file from elsewhere cannot be made into a bundle, or not without being told more."""


class Unfitted(TrainingError):
    """No outlier score can be fitted: the graph does not end in a dense layer, or no image serves for the threshold."""


class InvalidCheckpoint(TrainingError):
    """A run's kept state cannot be read, or is another run's."""


class ShapesDiffer(TrainingError):
    """Keras or an exported graph has other shapes than the formula gives."""


class InvalidCluster(TrainingError):
    """The processes that are to train together cannot find each other, or do not train the same."""


class WorkerLost(TrainingError):
    """One of the processes that train together is gone, or has never come."""


class ParityFailed(TrainingError):
    """ONNX Runtime does not answer as Keras does, so nothing is published."""


class ServiceError(TrainingError):
    """A running service cannot be reached or answered with an error."""


class NotServed(ServiceError):
    """A running service has no such model or version."""


class NotWorthwhile(TrainingError):
    """A graph in eight bits loses too much or gains too little, so it is not published."""


class NotWritten(TrainingError):
    """A file that was asked for cannot be written where it was asked for."""

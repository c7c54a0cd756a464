"""Every setting of the service: one frozen object, one reader of the environment."""

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from service.cpus import usable_cpus

PREFIX = "CONVSERVE_"
FOREIGN = {"CONVSERVE_DATA"}  # where the tests look for data sets; no setting of the service


class InvalidSetting(Exception):
    """An environment variable that the service cannot start with; the sentence names it."""


@dataclass(frozen=True)
class Settings:
    """What `CONVSERVE_<NAME>` can change. Sizes are in bytes, times in seconds, limits are for one worker."""

    host: str = "127.0.0.1"  # reachable from this machine only, until someone decides otherwise
    port: int = field(default=8000, metadata={"range": (0, 65535)})  # Triton's port, so its clients find it; 0: any
    models: Path = Path("models")
    default_model: str = "mnist"  # what /predict means when it names no model; ignored where only one other is there
    versions: int = field(default=2, metadata={"range": (1, 100)})  # the newest answers, the one before is at hand
    poll_interval: float = field(default=1.0, metadata={"range": (0, 3600)})  # between looks at the models; 0: none
    load_timeout: float = field(default=60.0, metadata={"range": (0.1, 3600)})  # of a new bundle, to load and verify it
    load_memory_bytes: int = field(default=256 << 20, metadata={"range": (1, 1 << 36)})  # and 4 × its files
    admin_keys: Path = Path()  # SHA-256 of the keys that allow load and unload; no file: not allowed
    workers: int = field(default_factory=usable_cpus, metadata={"range": (1, 64)})  # more than CPUs gains nothing
    threads: int = field(default=0, metadata={"range": (0, 256)})  # of ONNX Runtime, a worker; 0: CPUs ÷ workers
    max_body_bytes: int = field(default=16 << 20, metadata={"range": (1024, 1 << 30)})  # a 48-megapixel JPEG is 12 MB
    max_buffered_bytes: int = field(default=128 << 20, metadata={"range": (1024, 1 << 36)})  # of unanswered requests
    max_pixels: int = field(default=50_000_000, metadata={"range": (1, 1 << 30)})  # of one image: a phone's largest
    max_request_pixels: int = field(default=200_000_000, metadata={"range": (1, 1 << 36)})  # decoding takes a second
    max_images: int = field(default=256, metadata={"range": (1, 65536)})  # in one request
    image_memory_mb: int = field(default=512, metadata={"range": (64, 1 << 20)})  # of a process that decodes images
    image_seconds: float = field(default=5.0, metadata={"range": (1, 3600)})  # of CPU, for the images of one request
    max_queue: int = field(default=256, metadata={"range": (1, 65536)})  # complete requests that wait; more get 503
    max_connections: int = field(default=2000, metadata={"range": (1, 100_000)})  # idle ones make room for new ones
    request_timeout: float = field(default=30.0, metadata={"range": (0.001, 3600)})  # waiting longer than this is a 504
    head_timeout: float = field(default=10.0, metadata={"range": (0.1, 3600)})  # for a request without its body
    read_timeout: float = field(default=60.0, metadata={"range": (0.1, 3600)})  # for the whole request to arrive
    idle_timeout: float = field(default=75.0, metadata={"range": (0.1, 3600)})  # longer than nginx keeps its side: 60
    drain_delay: float = field(default=5.0, metadata={"range": (0, 600)})  # for load balancers to see it is not ready
    drain_timeout: float = field(default=3.0, metadata={"range": (0, 600)})  # for idle clients to notice the shutdown
    grace_period: int = field(default=30, metadata={"range": (1, 3600)})  # as Kubernetes has it; then all are killed
    log_format: str = field(default="json", metadata={"choices": ("json", "text")})

    @property
    def session_threads(self) -> int:
        """Threads of one ONNX Runtime session, so that all workers together use the CPUs and no more."""
        return self.threads or max(1, usable_cpus() // self.workers)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Build the settings from `CONVSERVE_*`; raises InvalidSetting for an unknown name or a bad value."""
    known = {PREFIX + item.name.upper(): item for item in fields(Settings)}
    given = {name: text for name, text in environment.items() if name.startswith(PREFIX) and name not in FOREIGN}
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        raise InvalidSetting(f"{unknown[0]} is not a setting. Known are: {', '.join(sorted(known))}")
    settings = Settings(**{known[name].name: _parse(name, text, known[name]) for name, text in given.items()})
    if settings.max_buffered_bytes < settings.max_body_bytes:
        raise InvalidSetting(
            "CONVSERVE_MAX_BUFFERED_BYTES must be at least CONVSERVE_MAX_BODY_BYTES: one body has to fit"
        )
    if settings.grace_period <= settings.drain_delay + settings.drain_timeout:
        raise InvalidSetting(
            "CONVSERVE_GRACE_PERIOD must be longer than CONVSERVE_DRAIN_DELAY and CONVSERVE_DRAIN_TIMEOUT together"
        )
    return settings


def _parse(name: str, text: str, setting: Field[Any]) -> Any:
    parse: Callable[[str], Any] = {int: int, float: float, Path: Path, str: str}[_type_of(setting)]
    try:
        value = parse(text.strip())
    except ValueError:
        raise InvalidSetting(f"{name} must be a number, not {text!r}") from None
    _check(name, value, setting.metadata)
    return value


def _type_of(setting: Field[Any]) -> type[Any]:
    return setting.type if isinstance(setting.type, type) else str


def _check(name: str, value: Any, rules: Mapping[str, Any]) -> None:
    if value in ("", Path()):
        raise InvalidSetting(f"{name} is empty: give it a value, or unset it for the default")
    if "range" in rules and not rules["range"][0] <= value <= rules["range"][1]:
        raise InvalidSetting(f"{name} must be from {rules['range'][0]} to {rules['range'][1]}, not {value}")
    if "choices" in rules and value not in rules["choices"]:
        raise InvalidSetting(f"{name} must be one of {', '.join(rules['choices'])}, not {value!r}")

"""Generates the code of the contract into gen/ (`make proto`), or says whether it is fresh (`--check`)."""

import argparse
import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc_tools
from google.type import date_pb2

HERE = Path(__file__).resolve().parent


def google_protos() -> Path:
    """The folder that holds google/api, google/rpc and google/type, from the installed googleapis-common-protos."""
    return Path(date_pb2.__file__).parents[2]


def well_known_protos() -> Path:
    """The folder that holds google/protobuf, from the installed compiler."""
    return Path(grpc_tools.__file__).parent / "_proto"


def generate(destination: Path) -> None:
    """Writes messages, stubs and their types for every proto file below cms/ to `destination`."""
    protos = sorted(str(path.relative_to(HERE)) for path in (HERE / "cms").rglob("*.proto"))
    scripts = Path(sys.executable).parent
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"-I{HERE}",
            f"-I{google_protos()}",
            f"-I{well_known_protos()}",
            f"--plugin=protoc-gen-mypy={scripts / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={scripts / 'protoc-gen-mypy_grpc'}",
            f"--python_out={destination}",
            f"--grpc_python_out={destination}",
            f"--mypy_out=quiet:{destination}",
            f"--mypy_grpc_out=quiet:{destination}",
            *protos,
        ],
        check=True,
        cwd=HERE,
    )
    for folder in [destination / "cms", *(path for path in (destination / "cms").rglob("*") if path.is_dir())]:
        (folder / "__init__.py").touch()
    (destination / "cms" / "py.typed").touch()


def differences(fresh: Path, committed: Path) -> list[str]:
    """Files, relative to gen/, that are not the same on both sides."""
    names = {
        str(path.relative_to(root))
        for root in (fresh, committed)
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return sorted(
        name
        for name in names
        if not (fresh / name).is_file()
        or not (committed / name).is_file()
        or not filecmp.cmp(fresh / name, committed / name, shallow=False)
    )


def export_google_protos(destination: Path) -> None:
    """Copies google's protos to `destination`, for buf, which reads no installed package.

    The contract imports two; clients read the details of errors by the third.
    """
    for name in ("google/api/field_behavior.proto", "google/type/date.proto", "google/rpc/error_details.proto"):
        target = destination / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(google_protos() / name, target)


def main() -> int:
    """Generates, or with --check compares; exits 1 where gen/ is not fresh."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail if gen/ is not what protoc makes now"
    )
    parser.add_argument("--for-buf", action="store_true", help="only copy what buf needs of Google's")
    arguments = parser.parse_args()
    export_google_protos(HERE / ".build" / "google")
    if arguments.for_buf:
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        # Not the scratch folder itself: only its owner may enter that, and its mode would go with the copy.
        fresh = Path(scratch) / "gen"
        fresh.mkdir()
        generate(fresh)
        stale = differences(fresh, HERE / "gen")
        if arguments.check:
            sys.stdout.writelines(f"proto/gen is not fresh: {name}\n" for name in stale)
            return 1 if stale else 0
        shutil.rmtree(HERE / "gen", ignore_errors=True)
        shutil.copytree(fresh, HERE / "gen")
    return 0


if __name__ == "__main__":
    sys.exit(main())

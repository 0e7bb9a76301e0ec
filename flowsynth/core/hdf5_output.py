"""Write HDF5 files to a disk that may fill meanwhile."""

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from flowsynth.core.disk_space import require_space


class NewHDF5(h5py.File):
    """A new HDF5 file. A failed write is raised as an OSError by the dataset or by `close`, never by HDF5 itself.

    HDF5 writes again what could not be written when it closes a dataset, a file, and the process, and then crashes.

    Args:
        temporary: File to write.
        path: Its name in messages.
    """

    def __init__(self, temporary: Path, path: Path):
        self._output, self._path = _Output(temporary), path
        super().__init__(self._output, "w")

    def create_dataset(self, name: str, shape: Any = None, dtype: Any = None, data: Any = None, **options: Any) -> Any:
        """Create a dataset as h5py does, after checking the space that it needs.

        Raises:
            OSError: If there is no space.
        """
        if data is None:
            require_space(self._path, float(np.prod(shape)) * np.dtype(dtype).itemsize)
        return _NewDataset(super().create_dataset(name, shape, dtype, data, **options), self._output)

    def close(self) -> None:
        """Close the file.

        Raises:
            OSError: If anything could not be written.
        """
        super().close()
        self._output.close()
        self._output.check()


class _NewDataset(h5py.Dataset):
    """A dataset of a `NewHDF5`."""

    def __init__(self, dataset: h5py.Dataset, output: "_Output"):
        super().__init__(dataset.id)
        self._output = output

    def __setitem__(self, selection: Any, values: Any) -> None:
        super().__setitem__(selection, values)
        self._output.check()


class _Output(io.FileIO):
    """A file whose first error is kept; whatever is written then is kept in memory, where HDF5 may read it."""

    error: OSError | None = None

    def __init__(self, path: Path):
        super().__init__(path, "w+")
        self._unwritten: list[tuple[int, bytes]] = []  # offsets and data

    def write(self, data: Any) -> int:
        if self.error is None:
            start, rest = self.tell(), memoryview(data)
            try:
                while rest:
                    rest = rest[super().write(rest) :]
                return len(data)
            except OSError as error:
                self.error = error
                self.seek(start)
        self._unwritten.append((self.tell(), bytes(data)))
        return len(data)

    def readinto(self, buffer: Any) -> int:
        start, view = self.tell(), memoryview(buffer)
        count = super().readinto(view) or 0
        for offset, data in self._unwritten:
            first, last = max(start, offset), min(start + len(view), offset + len(data))
            if first < last:
                view[first - start : last - start] = data[first - offset : last - offset]
        return len(view) if self.error else count

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0

    def check(self) -> None:
        """Raise the error of a failed write, if there was one."""
        if self.error is not None:
            raise self.error

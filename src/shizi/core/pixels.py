"""What pictures are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: (H, W, 3) uint8, red, green, blue.
RgbImage = NDArray[np.uint8]
#: (H, W) uint8.
GrayImage = NDArray[np.uint8]

import pytest

pytest.importorskip("cv2", reason="the producers need OpenCV")

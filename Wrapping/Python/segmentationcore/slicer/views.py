"""Slicer's own slice and 3D views without a window, to pictures.

The scene, the logics and the displayable managers are Slicer's; what the desktop application adds
in Qt (the render windows, and the image behind a slice) is added here in VTK. Rendering needs no
display: VTK takes EGL or OSMesa where there is none.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util import numpy_support

ORIENTATIONS = ("Axial", "Coronal", "Sagittal")

_SLICE_MANAGERS = (
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLOrientationMarkerDisplayableManager",
)
_THREED_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLOrientationMarkerDisplayableManager",
)


class SlicerScene:
    """A MRML scene with the logics that views and segmentations need."""

    def __init__(self) -> None:
        self.scene = slicer.vtkMRMLScene()
        self.application = slicer.vtkSlicerApplicationLogic()
        self.application.SetMRMLScene(self.scene)
        self.application.GetColorLogic().SetMRMLScene(self.scene)
        self.application.GetColorLogic().AddDefaultColorNodes()
        self.application.SetSliceLogics(vtk.vtkCollection())
        self.application.SetViewLogics(vtk.vtkCollection())
        self.segmentations = slicer.vtkSlicerSegmentationsModuleLogic()
        self.segmentations.SetMRMLScene(self.scene)
        self.segmentations.SetMRMLApplicationLogic(self.application)
        self.application.SetModuleLogic("Segmentations", self.segmentations)
        # Slicer's convention, as a radiologist sees it: the patient's right is on screen left.
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene, True)

    def add_segmentation(self, name: str) -> Any:
        """A new, empty segmentation node with a display node."""
        node = self.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
        node.CreateDefaultDisplayNodes()
        return node

    def load_volume(self, path: str | os.PathLike[str]) -> Any:
        """A scalar volume from a file, by Slicer's own storage node."""
        node = self.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", Path(path).name)
        storage = self.scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
        storage.SetFileName(os.fspath(path))
        storage.SetCenterImage(0)
        if not storage.ReadData(node):
            raise OSError(f"Slicer cannot read the volume {path}")
        self._show(node)
        return node

    def add_volume(self, name: str, values: NDArray[Any], index_to_ras: NDArray[np.float64]) -> Any:
        """A scalar volume from an array with axes (k, j, i)."""
        image = vtk.vtkImageData()
        image.SetDimensions(*values.shape[::-1])
        image.GetPointData().SetScalars(
            numpy_support.numpy_to_vtk(np.ascontiguousarray(values).ravel(), deep=True)
        )
        node = self.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        node.SetAndObserveImageData(image)
        matrix = vtk.vtkMatrix4x4()
        matrix.DeepCopy(index_to_ras.ravel().tolist())
        node.SetIJKToRASMatrix(matrix)
        self._show(node)
        return node

    def _show(self, node: Any) -> None:
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
        display.SetAutoWindowLevel(True)


class _View:
    """A render window that Slicer's displayable managers draw into."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.renderer = vtk.vtkRenderer()
        self.window = vtk.vtkRenderWindow()
        self.window.SetShowWindow(False)
        self.window.SetOffScreenRendering(True)
        self.window.SetMultiSamples(8)
        self.window.SetSize(*size)
        self.window.AddRenderer(self.renderer)
        # Displayable managers ask the interactor of the window; without one they stay idle.
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        self.interactor.Initialize()
        self.managers = slicer.vtkMRMLDisplayableManagerGroup()

    def _start(self, factory: Any, names: tuple[str, ...], scene: SlicerScene, node: Any) -> None:
        factory.SetMRMLApplicationLogic(scene.application)
        for name in names:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self.managers.Initialize(factory, self.renderer)
        self.managers.SetMRMLDisplayableNode(node)

    def render(self) -> None:
        """Draw. `image` and `save` do it by themselves."""
        self.window.Render()

    def image(self) -> NDArray[np.uint8]:
        """The picture as an array: rows from the top, columns, red-green-blue."""
        self.render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self.window)
        grab.SetInputBufferTypeToRGB()
        grab.ReadFrontBufferOff()
        grab.Update()
        output = grab.GetOutput()
        width, height, _ = output.GetDimensions()
        pixels = numpy_support.vtk_to_numpy(output.GetPointData().GetScalars())
        return np.ascontiguousarray(pixels.reshape(height, width, 3)[::-1])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture as PNG."""
        pixels = self.image()[::-1]
        image = vtk.vtkImageData()
        image.SetDimensions(pixels.shape[1], pixels.shape[0], 1)
        scalars = numpy_support.numpy_to_vtk(np.ascontiguousarray(pixels).reshape(-1, 3), deep=True)
        image.GetPointData().SetScalars(scalars)
        writer = vtk.vtkPNGWriter()
        writer.SetFileName(os.fspath(path))
        writer.SetInputData(image)
        writer.Write()
        if writer.GetErrorCode():
            raise OSError(f"cannot write the picture {path}")
        return Path(path)

    def close(self) -> None:
        """Give the render window back."""
        self.managers.SetMRMLDisplayableNode(None)
        self.window.Finalize()


class SliceView(_View):
    """A slice view as Slicer's red, green and yellow ones."""

    def __init__(
        self,
        scene: SlicerScene,
        orientation: str,
        size: tuple[int, int] = (600, 600),
        name: str | None = None,
    ) -> None:
        if orientation not in ORIENTATIONS:
            raise ValueError(f"orientation {orientation!r}; expected one of {ORIENTATIONS}")
        super().__init__(size)
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(scene.application)
        scene.application.GetSliceLogics().AddItem(self.logic)
        self.logic.SetMRMLScene(scene.scene)
        self.node = self.logic.AddSliceNode(name or orientation)
        self.node.SetOrientation(orientation)
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._actor = vtk.vtkActor2D()
        self._actor.SetMapper(self._mapper)
        self._actor.GetProperty().SetDisplayLocationToBackground()
        # Before the displayable managers add theirs: props are drawn in this order, and the image
        # must be under the segments for their fill to blend with it.
        self.renderer.AddViewProp(self._actor)
        self._actor.SetVisibility(False)
        self._start(
            slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance(),
            _SLICE_MANAGERS,
            scene,
            self.node,
        )
        self.logic.ResizeSliceNode(*size)

    def show(self, volume: Any) -> None:
        """Put a volume in the background and fit it into the view."""
        self.logic.GetSliceCompositeNode().SetBackgroundVolumeID(volume.GetID())
        self.logic.ResizeSliceNode(*self.window.GetSize())
        self.logic.FitSliceToBackground()
        self.logic.SnapSliceOffsetToIJK()

    def go_to(self, ras: Any) -> None:
        """Move the slice plane, without panning, to the plane through a position."""
        matrix = self.node.GetSliceToRAS()
        normal = [matrix.GetElement(row, 2) for row in range(3)]
        self.logic.SetSliceOffset(float(np.dot(normal, ras)))

    def pixel(self, ras: Any) -> tuple[int, int]:
        """Row and column in `image` where a position in the slice plane appears."""
        matrix = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self.node.GetXYToRAS(), matrix)
        x, y, _, _ = matrix.MultiplyPoint([*map(float, ras), 1.0])
        return self.window.GetSize()[1] - 1 - round(y), round(x)

    def render(self) -> None:
        """Draw the segments, on a slice of the volume if there is one."""
        connection = self.logic.GetImageDataConnection()
        self._mapper.SetInputConnection(connection)
        self._actor.SetVisibility(connection is not None)
        super().render()


class ThreeDView(_View):
    """A 3D view."""

    def __init__(self, scene: SlicerScene, size: tuple[int, int] = (800, 800)) -> None:
        super().__init__(size)
        self.logic = slicer.vtkMRMLViewLogic()
        self.logic.SetMRMLApplicationLogic(scene.application)
        scene.application.GetViewLogics().AddItem(self.logic)
        self.logic.SetMRMLScene(scene.scene)
        self.node = self.logic.AddViewNode("View1")
        self.node.SetBoxVisible(False)
        self.node.SetAxisLabelsVisible(False)
        self._start(
            slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance(),
            _THREED_MANAGERS,
            scene,
            self.node,
        )

    def look_from(self, direction: Any, up: Any = (0.0, 0.0, 1.0)) -> None:
        """Look at everything visible from an RAS direction: (0, 1, 0) is from the front."""
        bounds = list(self.renderer.ComputeVisiblePropBounds())
        center = np.array([bounds[0] + bounds[1], bounds[2] + bounds[3], bounds[4] + bounds[5]]) / 2
        away = np.asarray(direction, float) / np.linalg.norm(direction)
        camera = self.renderer.GetActiveCamera()
        camera.SetFocalPoint(*center)
        camera.SetPosition(*(center + 100.0 * away))
        camera.SetViewUp(*up)
        self.renderer.ResetCamera(bounds)
        camera.Zoom(1.1)
        self.renderer.ResetCameraClippingRange()

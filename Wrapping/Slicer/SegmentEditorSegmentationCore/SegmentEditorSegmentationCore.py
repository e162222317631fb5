"""Slicer module that registers SegmentationCore's effects with the Segment Editor."""

from pathlib import Path

import qSlicerSegmentationsEditorEffectsPythonQt as effects
import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule


class SegmentEditorSegmentationCore(ScriptedLoadableModule):
    """Hidden module: it only registers the effect when Slicer starts."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = "SegmentEditorSegmentationCore"
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = ["Segmentations"]
        parent.contributors = ["The SegmentationCore developers"]
        parent.hidden = True
        parent.helpText = _(
            "Exact and fast Segment Editor effects, the same as in ParaView and Python."
        )
        parent.acknowledgementText = ""
        slicer.app.connect("startupCompleted()", self.registerEditorEffect)

    def registerEditorEffect(self):
        """Register the scripted effect."""
        effect = effects.qSlicerSegmentEditorScriptedEffect(None)
        library = Path(__file__).parent / f"{self.__class__.__name__}Lib"
        effect.setPythonSource(str(library / "SegmentEditorEffect.py").replace("\\", "/"))
        effect.self().register()

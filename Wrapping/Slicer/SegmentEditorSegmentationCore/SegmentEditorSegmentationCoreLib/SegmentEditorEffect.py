"""One Segment Editor effect for all declared effects: its panel is built from their declarations.

The class draws widgets and calls one function; masking, overwriting and undo stay with Slicer's
editor.
"""

import ctk
import qt
import slicer
from segmentationcore import errors
from segmentationcore.slicer import panel
from SegmentEditorEffects import AbstractScriptedSegmentEditorEffect
from slicer.i18n import tr as _


class SegmentEditorEffect(AbstractScriptedSegmentEditorEffect):
    """Runs a SegmentationCore effect on the selected segment."""

    def __init__(self, scriptedEffect):
        AbstractScriptedSegmentEditorEffect.__init__(self, scriptedEffect)
        scriptedEffect.name = "SegmentationCore"
        scriptedEffect.title = "SegmentationCore"
        scriptedEffect.perSegment = True
        self.effects = panel.effect_panels()
        self.widgets = {}

    def clone(self):
        """Make another instance for another editor."""
        import qSlicerSegmentationsEditorEffectsPythonQt as effects

        clonedEffect = effects.qSlicerSegmentEditorScriptedEffect(None)
        clonedEffect.setPythonSource(__file__.replace("\\", "/"))
        return clonedEffect

    def helpText(self):
        """Text of the help button."""
        return "<br>".join(f"<b>{_(e.title)}</b>: {_(e.summary)}" for e in self.effects)

    def setupOptionsFrame(self):
        """Build the panel: a choice of effects, and a form of parameters for each."""
        self.choice = qt.QComboBox()
        self.pages = qt.QStackedWidget()
        for effect in self.effects:
            self.choice.addItem(_(effect.title), effect.identifier)
            page = qt.QWidget()
            form = qt.QFormLayout(page)
            for row in effect.rows:
                widget = self._widgetFor(row)
                widget.toolTip = _(row.sentence)
                label = _(row.label) + (f" [{row.unit}]" if row.unit else "")
                form.addRow(label, widget)
                self.widgets[effect.identifier, row.name] = widget
            self.pages.addWidget(page)
        self.choice.connect("currentIndexChanged(int)", self.pages.setCurrentIndex)
        self.applyButton = qt.QPushButton(_("Apply"))
        self.applyButton.connect("clicked()", self.onApply)
        self.scriptedEffect.addLabeledOptionsWidget(_("Effect:"), self.choice)
        self.scriptedEffect.addOptionsWidget(self.pages)
        self.scriptedEffect.addOptionsWidget(self.applyButton)

    def _widgetFor(self, row):
        if row.choices:
            widget = qt.QComboBox()
            for value in row.choices:
                widget.addItem(str(value), value)
            widget.setCurrentIndex(row.choices.index(row.default))
        elif row.kind == "bool":
            widget = qt.QCheckBox()
            widget.checked = row.default
        elif row.kind == "double":
            widget = ctk.ctkDoubleSpinBox()
            widget.decimals = 4
            widget.minimum, widget.maximum = row.range
            widget.value = row.default
        else:
            widget = qt.QSpinBox()
            # Qt's spin box holds 32 bits.
            widget.minimum = max(row.range[0], -(2**31))
            widget.maximum = min(row.range[1], 2**31 - 1)
            widget.value = row.default
        return widget

    def _values(self, effect):
        values = {}
        for row in effect.rows:
            widget = self.widgets[effect.identifier, row.name]
            if row.choices:
                values[row.name] = widget.currentData
            else:
                values[row.name] = widget.checked if row.kind == "bool" else widget.value
        return values

    def onApply(self):
        """Run the chosen effect on the selected segment."""
        if not self.scriptedEffect.confirmCurrentSegmentVisible():
            return
        effect = self.effects[self.choice.currentIndex]
        with slicer.util.tryWithErrorDisplay(_("The effect failed."), waitCursor=True):
            try:
                source = (
                    self.scriptedEffect.sourceVolumeImageData()
                    if effect.input == "volume"
                    else self.scriptedEffect.selectedSegmentLabelmap()
                )
                modifier = self.scriptedEffect.defaultModifierLabelmap()
                panel.run(effect, source, self._values(effect), modifier)
            except errors.SegmentationCoreError as error:
                raise RuntimeError(str(error)) from error
            self.scriptedEffect.saveStateForUndo()
            self.scriptedEffect.modifySelectedSegmentByLabelmap(
                modifier, slicer.qSlicerSegmentEditorAbstractEffect.ModificationModeSet
            )

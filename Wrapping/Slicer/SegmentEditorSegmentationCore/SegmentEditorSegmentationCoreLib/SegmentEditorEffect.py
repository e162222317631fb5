"""One Segment Editor effect for all declared effects: its panel is built from their declarations.

The class draws widgets and calls one function; masking, overwriting and undo stay with Slicer's
editor.
"""

import ctk
import qt
import slicer
from segmentationcore import errors
from segmentationcore.slicer import nodes, panel
from SegmentEditorEffects import AbstractScriptedSegmentEditorEffect
from slicer.i18n import tr as _


class SegmentEditorEffect(AbstractScriptedSegmentEditorEffect):
    """Runs a SegmentationCore effect on the selected segment, or on all visible ones."""

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
        self.toAllVisible = qt.QCheckBox(_("Apply to all visible segments"))
        self.toAllVisible.toolTip = _(
            "To one after the other, in the order of the table. "
            "Each sees what became of those before."
        )
        self.nearOnly = qt.QCheckBox(_("Only around the segments"))
        self.nearOnly.toolTip = _(
            "Look at the box around all visible segments and a tenth of its size more on each "
            "side, not at the whole volume."
        )
        self.nearOnly.checked = True
        self.applyButton = qt.QPushButton(_("Apply"))
        self.applyButton.connect("clicked()", self.onApply)
        self.choice.connect("currentIndexChanged(int)", self.onChoice)
        self.scriptedEffect.addLabeledOptionsWidget(_("Effect:"), self.choice)
        for widget in (self.pages, self.toAllVisible, self.nearOnly, self.applyButton):
            self.scriptedEffect.addOptionsWidget(widget)
        self.onChoice(self.choice.currentIndex)

    def onChoice(self, index):
        """Show the parameters of the chosen effect."""
        self.pages.setCurrentIndex(index)
        self.toAllVisible.visible = self.effects[index].can_apply_to_each
        self.nearOnly.visible = self.effects[index].can_keep_near
        self.updateGUIFromMRML()

    def updateGUIFromMRML(self):
        """Offer the other segments; called by Slicer when segments or the selection change."""
        editor = self.scriptedEffect.parameterSetNode()
        node = editor.GetSegmentationNode() if editor else None
        if node is None:
            return
        others = nodes.other_segments(node, editor.GetSelectedSegmentID() or "")
        for effect in self.effects:
            if effect.other is None:
                continue
            widget = self.widgets[effect.identifier, effect.other.name]
            chosen = widget.currentData
            widget.clear()
            widget.addItem(_("none"), "")
            for key, name in others:
                widget.addItem(name, key)
            keys = ["", *(key for key, _name in others)]
            widget.setCurrentIndex(keys.index(chosen) if chosen in keys else 0)

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
        elif row.kind in ("points", "matrix"):
            widget = slicer.qMRMLNodeComboBox()
            views = ["vtkMRMLSliceNode", "vtkMRMLCameraNode"]
            widget.nodeTypes = ["vtkMRMLMarkupsNode"] if row.kind == "points" else views
            widget.noneEnabled = True
            widget.addEnabled = widget.removeEnabled = False
            widget.setMRMLScene(slicer.mrmlScene)
        elif row.kind == "segment":
            widget = qt.QComboBox()
            widget.addItem(_("none"), "")
        elif row.kind in ("vector", "numbers"):
            widget = qt.QLineEdit(", ".join(f"{number:g}" for number in row.default))
        elif row.kind == "string":
            widget = qt.QLineEdit(row.default)
        else:
            widget = qt.QSpinBox()
            # Qt's spin box holds 32 bits.
            widget.minimum = max(row.range[0], -(2**31))
            widget.maximum = min(row.range[1], 2**31 - 1)
            widget.value = row.default
        return widget

    def _values(self, effect, node):
        values = {}
        for row in effect.rows:
            widget = self.widgets[effect.identifier, row.name]
            if row.choices or row.kind == "segment":
                values[row.name] = widget.currentData
            elif row.kind == "points":
                values[row.name] = nodes.markups_points(widget.currentNode(), node)
            elif row.kind == "matrix":
                values[row.name] = nodes.view_matrix(widget.currentNode(), node)
            elif row.kind in ("vector", "numbers"):
                values[row.name] = panel.parse_numbers(widget.text, row.label)
            elif row.kind == "string":
                values[row.name] = widget.text
            else:
                values[row.name] = widget.checked if row.kind == "bool" else widget.value
        return values

    def onApply(self):
        """Run the chosen effect."""
        effect = self.effects[self.choice.currentIndex]
        toEach = self._toEach(effect)
        one = effect.input != "segments" and not toEach
        if one and not self.scriptedEffect.confirmCurrentSegmentVisible():
            return
        with slicer.util.tryWithErrorDisplay(_("The effect failed."), waitCursor=True):
            try:
                self._run(effect, toEach)
            except errors.SegmentationCoreError as error:
                raise RuntimeError(str(error)) from error

    def _toEach(self, effect):
        boxes = {
            row.name: self.widgets[effect.identifier, row.name].checked
            for row in effect.rows
            if row.kind == "bool"
        }
        chosen = effect.can_apply_to_each and self.toAllVisible.checked
        return chosen and not effect.takes_from_all(boxes)

    def _run(self, effect, toEach):
        scripted = self.scriptedEffect
        editor = scripted.parameterSetNode()
        node = editor.GetSegmentationNode()
        values = self._values(effect, node)
        panel.check_values(effect, values)
        modifier = scripted.defaultModifierLabelmap()
        volume = scripted.sourceVolumeImageData() if effect.needs_volume else None
        modes = slicer.qSlicerSegmentEditorAbstractEffect
        if toEach:
            # Written at once: the next one sees it. After an error, undo brings all of them back.
            scripted.saveStateForUndo()
            nodes.run_on_each(
                effect,
                values,
                node=node,
                lattice=modifier,
                volume=volume,
                write=lambda key, image: scripted.modifySegmentByLabelmap(
                    node, key, image, modes.ModificationModeSet
                ),
            )
            return
        if effect.input == "segments":
            results = []
            mask = nodes.edit_mask(node, editor, modifier, scripted.sourceVolumeImageData())
            nodes.run_on_all(
                effect,
                values,
                node=node,
                lattice=modifier,
                volume=volume,
                growth=panel.EXTENT_GROWTH if self._keepsNear(effect) else None,
                forbidden=mask,
                write=lambda key, image: results.append((key, image)),
            )
            scripted.saveStateForUndo()
            for key, image in results:
                scripted.modifySegmentByLabelmap(node, key, image, modes.ModificationModeSet)
            return
        source = volume if effect.input == "volume" else scripted.selectedSegmentLabelmap()
        other = None
        if effect.other is not None and values[effect.other.name]:
            other = nodes.segment_image(node, values[effect.other.name], modifier)
        result = panel.outcome(
            effect, source, values, modifier, volume if effect.volume else None, other
        )
        scripted.saveStateForUndo()
        labels = panel.labels_in(result)
        if labels[1:]:
            # The new segments first: masking is by the selected one as it was.
            nodes.write_parts(
                node,
                editor.GetSelectedSegmentID(),
                result,
                modifier,
                lambda key, image: scripted.modifySegmentByLabelmap(
                    node, key, image, modes.ModificationModeAdd
                ),
            )
        panel.set_mask(modifier, result, labels[0] if labels else None)
        scripted.modifySelectedSegmentByLabelmap(
            modifier,
            getattr(modes, f"ModificationMode{effect.mode_of(values)}"),
            bool(values.get("BypassMasking")),
        )

    def _keepsNear(self, effect):
        return effect.can_keep_near and self.nearOnly.checked

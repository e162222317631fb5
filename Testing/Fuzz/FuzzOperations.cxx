// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// libFuzzer target: any bytes as the operations of an editor. Either they are run, or LastError
// says why not and the output is what it was; nothing else may happen.

#include "vtkLabelMapEditor.h"

#include "vtkDataArray.h"
#include "vtkImageData.h"
#include "vtkNew.h"
#include "vtkObject.h"
#include "vtkPointData.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  vtkObject::GlobalWarningDisplayOff();
  vtkNew<vtkImageData> volume;
  volume->SetExtent(0, 5, 0, 4, 0, 3);
  volume->AllocateScalars(VTK_SHORT, 1);
  for (vtkIdType i = 0; i < volume->GetNumberOfPoints(); ++i)
  {
    volume->GetPointData()->GetScalars()->SetComponent(i, 0, static_cast<double>(i * 7 % 50));
  }
  vtkNew<vtkLabelMapEditor> editor;
  editor->SetInputData(volume);
  const char* start =
    R"([{"effect": "add_segment", "segment": "a"}, {"effect": "threshold", "segment": "a",
    "parameters": {"MinimumThreshold": 20}}])";
  editor->SetOperations(start);
  editor->Update();
  const std::string operations(reinterpret_cast<const char*>(data), size);
  editor->SetOperations(operations.c_str());
  editor->Update();
  const bool failed = editor->GetLastError()[0] != '\0';
  const vtkImageData* output = editor->GetOutput();
  if (failed && editor->GetNumberOfAppliedOperations() != 2)
  {
    std::abort(); // a failed list must leave the state before it
  }
  return output ? 0 : 1;
}

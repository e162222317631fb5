// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkRASVolumeWriter.h"

#include "Message.h"
#include "NrrdImageWriter.h"

#include "vtkDataArray.h"
#include "vtkObjectFactory.h"

vtkStandardNewMacro(vtkRASVolumeWriter);

//----------------------------------------------------------------------------
void vtkRASVolumeWriter::WriteImage(
  const segcore::Communicator& communicator, vtkImageData* image, vtkDataArray* scalars)
{
  const segcore::SharedImage shared = segcore::shareImage(communicator, image);
  const bool hasVoxels = !shared.distribution.piece().empty();
  struct Kind
  {
    int type;
    int components;
  } kind = { 0, 0 };
  communicator.run(
    [&]
    {
      if (!hasVoxels)
      {
        return;
      }
      if (!scalars)
      {
        throw std::runtime_error("The input image has no point array to write.");
      }
      kind.type = segcore::fileScalarType(scalars->GetDataType());
      kind.components = scalars->GetNumberOfComponents();
      if (kind.type == 0)
      {
        throw std::runtime_error(std::string("The array '") +
          (scalars->GetName() ? scalars->GetName() : "") + "' is of type " +
          scalars->GetDataTypeAsString() + ", which NRRD does not have.");
      }
    });
  segcore::MessageWriter message;
  message.put(kind);
  segcore::Bytes bytes = message.take();
  communicator.broadcast(bytes, shared.owner);
  const Kind agreed = segcore::MessageReader(bytes).get<Kind>();
  communicator.require(
    hasVoxels && (agreed.type != kind.type || agreed.components != kind.components)
      ? "The ranks have arrays of different types or numbers of components."
      : "");

  segcore::NrrdOutput output;
  output.path = this->FileName;
  output.compress = this->UseCompression;
  output.compressionLevel = this->CompressionLevel;
  output.scalarType = agreed.type;
  output.components = agreed.components;
  output.componentKind = agreed.type != VTK_UNSIGNED_CHAR ? "vector"
    : agreed.components == 3                              ? "RGB-color"
    : agreed.components == 4                              ? "RGBA-color"
                                                          : "vector";
  output.box = shared.distribution.whole();
  segcore::writeNrrd(
    communicator, shared, { scalars }, output, [this](double part) { return this->Report(part); });
}

//----------------------------------------------------------------------------
void vtkRASVolumeWriter::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
}

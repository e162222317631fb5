// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "vtkPolyDataToFractionalLabelmapFilter.h"

#include "SurfaceVoxels.h"
#include "vtkOrientedImageData.h"
#include "vtkVersionCompatibility.h"

#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkMatrix3x3.h"
#include "vtkMatrix4x4.h"
#include "vtkObjectFactory.h"
#include "vtkPolyData.h"
#include "vtkStreamingDemandDrivenPipeline.h"

#include <algorithm>

vtkStandardNewMacro(vtkPolyDataToFractionalLabelmapFilter);
vtkCxxSetObjectMacro(vtkPolyDataToFractionalLabelmapFilter, InformationInput, vtkImageData);

//------------------------------------------------------------------------------
vtkPolyDataToFractionalLabelmapFilter::vtkPolyDataToFractionalLabelmapFilter()
{
  this->SetNumberOfInputPorts(1);
  this->SetNumberOfOutputPorts(1);
}

//------------------------------------------------------------------------------
vtkPolyDataToFractionalLabelmapFilter::~vtkPolyDataToFractionalLabelmapFilter()
{
  this->SetInformationInput(nullptr);
}

//------------------------------------------------------------------------------
void vtkPolyDataToFractionalLabelmapFilter::SetInputData(vtkPolyData* surface)
{
  this->SetInputDataInternal(0, surface);
}

//------------------------------------------------------------------------------
vtkPolyData* vtkPolyDataToFractionalLabelmapFilter::GetInput()
{
  return this->GetNumberOfInputConnections(0) < 1
    ? nullptr
    : vtkPolyData::SafeDownCast(this->GetInputDataObject(0, 0));
}

//------------------------------------------------------------------------------
vtkOrientedImageData* vtkPolyDataToFractionalLabelmapFilter::GetOutput()
{
  // A filter that has not run has no output yet; callers of Slicer's class expect one.
  if (!this->GetOutputDataObject(0))
  {
    vtkNew<vtkOrientedImageData> output;
    this->GetExecutive()->SetOutputData(0, output);
  }
  return vtkOrientedImageData::SafeDownCast(this->GetOutputDataObject(0));
}

//------------------------------------------------------------------------------
void vtkPolyDataToFractionalLabelmapFilter::SetOutput(vtkOrientedImageData* output)
{
  this->GetExecutive()->SetOutputData(0, output);
}

//------------------------------------------------------------------------------
void vtkPolyDataToFractionalLabelmapFilter::SetOutputImageToWorldMatrix(
  vtkMatrix4x4* imageToWorldMatrix)
{
  const vtkMTimeType before = this->Geometry->GetMTime();
  this->Geometry->SetImageToWorldMatrix(imageToWorldMatrix);
  if (this->Geometry->GetMTime() != before)
  {
    this->Modified();
  }
}

//------------------------------------------------------------------------------
void vtkPolyDataToFractionalLabelmapFilter::GetOutputImageToWorldMatrix(
  vtkMatrix4x4* imageToWorldMatrix)
{
  this->Geometry->GetImageToWorldMatrix(imageToWorldMatrix);
}

//------------------------------------------------------------------------------
void vtkPolyDataToFractionalLabelmapFilter::SetOutputOrigin(const double origin[3])
{
  this->SetOutputOrigin(origin[0], origin[1], origin[2]);
}

//------------------------------------------------------------------------------
void vtkPolyDataToFractionalLabelmapFilter::SetOutputOrigin(double x, double y, double z)
{
  const double* const old = this->Geometry->GetOrigin();
  if (old[0] != x || old[1] != y || old[2] != z)
  {
    this->Geometry->SetOrigin(x, y, z);
    this->Modified();
  }
}

//------------------------------------------------------------------------------
double* vtkPolyDataToFractionalLabelmapFilter::GetOutputOrigin()
{
  return this->Geometry->GetOrigin();
}

//------------------------------------------------------------------------------
void vtkPolyDataToFractionalLabelmapFilter::GetOutputOrigin(double& x, double& y, double& z)
{
  this->Geometry->GetOrigin(x, y, z);
}

//------------------------------------------------------------------------------
void vtkPolyDataToFractionalLabelmapFilter::GetOutputOrigin(double origin[3])
{
  this->Geometry->GetOrigin(origin);
}

//------------------------------------------------------------------------------
void vtkPolyDataToFractionalLabelmapFilter::SetOutputSpacing(const double spacing[3])
{
  this->SetOutputSpacing(spacing[0], spacing[1], spacing[2]);
}

//------------------------------------------------------------------------------
void vtkPolyDataToFractionalLabelmapFilter::SetOutputSpacing(double x, double y, double z)
{
  if (x == 0.0 || y == 0.0 || z == 0.0)
  {
    vtkErrorMacro("SetOutputSpacing: no component may be 0, got " << x << " " << y << " " << z);
    return;
  }
  const double* const old = this->Geometry->GetSpacing();
  if (old[0] != x || old[1] != y || old[2] != z)
  {
    this->Geometry->SetSpacing(x, y, z);
    this->Modified();
  }
}

//------------------------------------------------------------------------------
double* vtkPolyDataToFractionalLabelmapFilter::GetOutputSpacing()
{
  return this->Geometry->GetSpacing();
}

//------------------------------------------------------------------------------
void vtkPolyDataToFractionalLabelmapFilter::GetOutputSpacing(double& x, double& y, double& z)
{
  this->Geometry->GetSpacing(x, y, z);
}

//------------------------------------------------------------------------------
void vtkPolyDataToFractionalLabelmapFilter::GetOutputSpacing(double spacing[3])
{
  this->Geometry->GetSpacing(spacing);
}

//------------------------------------------------------------------------------
void vtkPolyDataToFractionalLabelmapFilter::CopyGeometryTo(
  vtkOrientedImageData* image, int wholeExtent[6])
{
  vtkImageData* const source =
    this->InformationInput ? this->InformationInput : this->Geometry.GetPointer();
  image->SetOrigin(source->GetOrigin());
  image->SetSpacing(source->GetSpacing());
  image->SetDirectionMatrix(source->GetDirectionMatrix());
  const int* const extent =
    this->InformationInput ? this->InformationInput->GetExtent() : this->OutputWholeExtent;
  std::copy(extent, extent + 6, wholeExtent);
}

//------------------------------------------------------------------------------
vtkTypeBool vtkPolyDataToFractionalLabelmapFilter::ProcessRequest(
  vtkInformation* request, vtkInformationVector** in, vtkInformationVector* out)
{
  if (request->Has(vtkDemandDrivenPipeline::REQUEST_DATA_OBJECT()))
  {
    return this->RequestDataObject(request, in, out);
  }
  if (request->Has(vtkDemandDrivenPipeline::REQUEST_INFORMATION()))
  {
    return this->RequestInformation(request, in, out);
  }
  if (request->Has(vtkDemandDrivenPipeline::REQUEST_DATA()))
  {
    return this->RequestData(request, in, out);
  }
  return this->Superclass::ProcessRequest(request, in, out);
}

//------------------------------------------------------------------------------
int vtkPolyDataToFractionalLabelmapFilter::FillInputPortInformation(
  int vtkNotUsed(port), vtkInformation* info)
{
  info->Set(vtkAlgorithm::INPUT_REQUIRED_DATA_TYPE(), "vtkPolyData");
  return 1;
}

//------------------------------------------------------------------------------
int vtkPolyDataToFractionalLabelmapFilter::FillOutputPortInformation(
  int vtkNotUsed(port), vtkInformation* info)
{
  info->Set(vtkDataObject::DATA_TYPE_NAME(), "vtkOrientedImageData");
  return 1;
}

//------------------------------------------------------------------------------
int vtkPolyDataToFractionalLabelmapFilter::RequestDataObject(vtkInformation* vtkNotUsed(request),
  vtkInformationVector** vtkNotUsed(in), vtkInformationVector* out)
{
  vtkInformation* const info = out->GetInformationObject(0);
  if (!vtkOrientedImageData::SafeDownCast(info->Get(vtkDataObject::DATA_OBJECT())))
  {
    vtkNew<vtkOrientedImageData> output;
    info->Set(vtkDataObject::DATA_OBJECT(), output);
  }
  return 1;
}

//------------------------------------------------------------------------------
int vtkPolyDataToFractionalLabelmapFilter::RequestInformation(vtkInformation* vtkNotUsed(request),
  vtkInformationVector** vtkNotUsed(in), vtkInformationVector* out)
{
  vtkInformation* const info = out->GetInformationObject(0);
  vtkNew<vtkOrientedImageData> geometry;
  int extent[6];
  this->CopyGeometryTo(geometry, extent);
  info->Set(vtkStreamingDemandDrivenPipeline::WHOLE_EXTENT(), extent, 6);
  info->Set(vtkDataObject::ORIGIN(), geometry->GetOrigin(), 3);
  info->Set(vtkDataObject::SPACING(), geometry->GetSpacing(), 3);
  info->Set(vtkDataObject::DIRECTION(), geometry->GetDirectionMatrix()->GetData(), 9);
  info->Set(vtkAlgorithm::CAN_PRODUCE_SUB_EXTENT(), 1);
  vtkDataObject::SetPointDataActiveScalarInfo(info, VTK_FRACTIONAL_DATA_TYPE, 1);
  return 1;
}

//------------------------------------------------------------------------------
int vtkPolyDataToFractionalLabelmapFilter::RequestData(
  vtkInformation* vtkNotUsed(request), vtkInformationVector** in, vtkInformationVector* out)
{
  vtkInformation* const info = out->GetInformationObject(0);
  vtkOrientedImageData* const output =
    vtkOrientedImageData::SafeDownCast(info->Get(vtkDataObject::DATA_OBJECT()));
  vtkPolyData* const surface = vtkPolyData::GetData(in[0]);
  if (!output || !surface)
  {
    vtkErrorMacro("the input must be a vtkPolyData, and the output a vtkOrientedImageData");
    return 0;
  }
  int whole[6];
  this->CopyGeometryTo(output, whole);
  if (info->Has(vtkStreamingDemandDrivenPipeline::UPDATE_EXTENT()))
  {
    // After a change of the whole extent the pipeline may still ask for a part of the old one.
    int update[6];
    info->Get(vtkStreamingDemandDrivenPipeline::UPDATE_EXTENT(), update);
    const segcore::Box box =
      segcore::Box::fromExtent(update).clipped(segcore::Box::fromExtent(whole));
    (box.empty() ? segcore::Box() : box).toExtent(whole);
  }
  output->SetExtent(whole);

  segcore::Progress progress;
  progress.report = [this](double fraction) { this->UpdateProgress(fraction); };
  progress.cancelled = [this] { return segcore::isAborted(this); };
  const std::vector<std::uint8_t> values = segcore::fractionalValues(this->NumberOfOffsets);
  std::string error;
  try
  {
    if (segcore::fillFromSurface(surface, output, VTK_FRACTIONAL_DATA_TYPE, this->NumberOfOffsets,
          values.data(), error, progress))
    {
      return 1;
    }
    vtkErrorMacro("" << error);
  }
  catch (const segcore::Cancelled&)
  {
    output->Initialize();
    return 1;
  }
  output->Initialize();
  return 0;
}

//------------------------------------------------------------------------------
void vtkPolyDataToFractionalLabelmapFilter::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "NumberOfOffsets: " << this->NumberOfOffsets << "\n";
  os << indent << "OutputWholeExtent:";
  for (const int bound : this->OutputWholeExtent)
  {
    os << " " << bound;
  }
  os << "\n" << indent << "InformationInput: " << this->InformationInput << "\n";
  os << indent << "OutputImageToWorldMatrix:";
  vtkNew<vtkMatrix4x4> matrix;
  this->Geometry->GetImageToWorldMatrix(matrix);
  for (int i = 0; i < 16; ++i)
  {
    os << " " << matrix->GetElement(i / 4, i % 4);
  }
  os << "\n";
}

// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Segmentations to files and back; that Slicer reads them, and we its files, is tested in Python.
#include "../IO/TemporaryFolder.h"
#include "DataModelTest.h"
#include "vtkSegmentation.h"
#include "vtkSegmentationFileReader.h"
#include "vtkSegmentationFileWriter.h"

#include "vtkFieldData.h"
#include "vtkPolyData.h"
#include "vtkSegment.h"
#include "vtkSphereSource.h"

namespace
{
const std::string BL = "Binary labelmap";
const std::string CS = "Closed surface";

// A cube of 2 voxels at index 1 of an image of 4 voxels along each edge.
vtkSmartPointer<vtkOrientedImageData> Cube(double spacing)
{
  auto image = vtkSmartPointer<vtkOrientedImageData>::New();
  image->SetDimensions(4, 4, 4);
  image->SetSpacing(spacing, spacing, spacing);
  image->AllocateScalars(VTK_UNSIGNED_CHAR, 1);
  image->GetPointData()->GetScalars()->Fill(0);
  for (int i = 0; i < 8; ++i)
  {
    image->SetScalarComponentFromDouble(1 + i % 2, 1 + i / 2 % 2, 1 + i / 4, 0, 1);
  }
  return image;
}

void Add(
  vtkSegmentation* segmentation, const char* id, const std::string& kind, vtkDataObject* data)
{
  vtkNew<vtkSegment> segment;
  segment->SetName(id);
  segment->SetTag("a|b", "c:d|e");
  segment->AddRepresentation(kind, data);
  CHECK(segmentation->AddSegment(segment, id));
}

double Voxels(vtkSegmentation* segmentation, const char* id)
{
  auto* image = vtkOrientedImageData::SafeDownCast(segmentation->GetSegmentRepresentation(id, BL));
  vtkDataArray* scalars = image->GetPointData()->GetScalars();
  double count = 0;
  for (vtkIdType i = 0; i < scalars->GetNumberOfTuples(); ++i)
  {
    count += scalars->GetTuple1(i) == segmentation->GetSegment(id)->GetLabelValue() ? 1 : 0;
  }
  return count;
}

void LayersOnTwoLattices(const TemporaryFolder& folder)
{
  vtkNew<vtkSegmentation> segmentation;
  Add(segmentation, "coarse", BL, Cube(2));
  Add(segmentation, "fine", BL, Cube(1));
  vtkNew<vtkSegmentationFileWriter> writer;
  writer->SetFileName((folder / "two.seg.nrrd").c_str());
  Ear ear(segmentation);
  CHECK(writer->Write(segmentation));
  CHECK(ear.Take().empty());
  CHECK(segmentation->GetNumberOfLayers() == 2);

  vtkNew<vtkSegmentation> read;
  vtkNew<vtkSegmentationFileReader> reader;
  reader->SetFileName(writer->GetFileName());
  CHECK(reader->Read(read));
  // On the finer lattice: eight voxels for each of the coarse ones.
  CHECK(Voxels(read, "fine") == 8);
  CHECK(Voxels(read, "coarse") == 64);
  CHECK(read->GetSegment("fine")->GetTag("a|b") == "c:d|e");
}

void SurfacesReplaceOlderOnes(const TemporaryFolder& folder)
{
  vtkNew<vtkSegmentation> segmentation;
  segmentation->SetSourceRepresentationName(CS);
  vtkNew<vtkSphereSource> sphere;
  sphere->Update();
  vtkNew<vtkPolyData> nothing;
  Add(segmentation, "ball", CS, sphere->GetOutput());
  Add(segmentation, "nothing", CS, nothing);
  vtkNew<vtkSegmentationFileWriter> writer;
  writer->SetFileName((folder / "ball.seg.vtm").c_str());
  CHECK(writer->Write(segmentation));
  const int before = sphere->GetOutput()->GetFieldData()->GetNumberOfArrays();
  CHECK(before == 0); // of the live object
  writer->UseCompressionOff();
  segmentation->RemoveSegment("nothing");
  CHECK(writer->Write(segmentation));
  CHECK(!std::filesystem::exists(folder.path() / "ball.seg" / "ball.seg_1.vtp"));

  vtkNew<vtkSegmentation> read;
  vtkNew<vtkSegmentationFileReader> reader;
  reader->SetFileName(writer->GetFileName());
  CHECK(reader->Read(read));
  CHECK(read->GetSourceRepresentationName() == CS);
  CHECK(read->GetNumberOfSegments() == 1);
  auto* surface = vtkPolyData::SafeDownCast(read->GetSegmentRepresentation("ball", CS));
  CHECK(surface && surface->GetNumberOfPoints() == sphere->GetOutput()->GetNumberOfPoints());
  CHECK(surface->GetFieldData()->GetNumberOfArrays() == 0);
  CHECK(read->GetSegment("ball")->GetTag("a|b") == "c:d|e");

  // A folder where the file should be: nothing of the old content is lost.
  std::filesystem::create_directories(folder.path() / "blocked.seg.vtm" / "x");
  writer->SetFileName((folder / "blocked.seg.vtm").c_str());
  Ear ear(writer);
  CHECK(!writer->Write(segmentation));
  CHECK(ear.Complained("blocked.seg.vtm"));
  CHECK(std::filesystem::exists(folder.path() / "blocked.seg.vtm" / "x"));
  CHECK(!std::filesystem::exists(folder.path() / "blocked.seg"));
}

void BadInput(const TemporaryFolder& folder)
{
  vtkNew<vtkSegmentationFileWriter> writer;
  vtkNew<vtkSegmentationFileReader> reader;
  Ear ear(writer);
  Ear readersEar(reader);
  CHECK(!writer->Write(nullptr));
  CHECK(ear.Complained("no segmentation"));
  CHECK(!reader->Read(nullptr));
  CHECK(readersEar.Complained("no segmentation"));
  CHECK(vtkSegmentationFileWriter::GetDefaultExtension(nullptr).empty());
  vtkNew<vtkSegmentation> segmentation;
  writer->SetFileName((folder / "none.seg.vtm").c_str());
  CHECK(!writer->Write(segmentation));
  CHECK(ear.Complained("must end in .nrrd"));
  segmentation->SetSourceRepresentationName("Unknown");
  CHECK(!writer->Write(segmentation));
  CHECK(ear.Complained("'Unknown'"));
}
}

int TestSegmentationFile(int, char*[])
{
  const TemporaryFolder folder("TestSegmentationFile");
  LayersOnTwoLattices(folder);
  SurfacesReplaceOlderOnes(folder);
  BadInput(folder);
  return check::result();
}

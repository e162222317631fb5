// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// libFuzzer target: any bytes as a journal. Either it is opened (or replayed), or LastError says
// why not and the session is what it was; nothing else may happen. The first byte chooses: the
// bytes are the whole file, or they follow a good header.

#include "vtkLabelMapEditSession.h"
#include "vtkLabelSegmentTable.h"

#include "vtkNew.h"
#include "vtkObject.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <unistd.h>

namespace
{
void makeWorld(vtkLabelMapEditSession* session)
{
  const int extent[6] = { 0, 5, 0, 4, 0, 3 };
  const double origin[3] = { 0.0, 0.0, 0.0 };
  const double spacing[3] = { 1.0, 2.0, 0.5 };
  const double direction[9] = { 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0 };
  if (!session->SetGeometry(extent, origin, spacing, direction))
  {
    std::abort();
  }
}

std::string header()
{
  const std::string path = "/tmp/fuzz-journal-header-" + std::to_string(::getpid());
  vtkNew<vtkLabelMapEditSession> session;
  makeWorld(session);
  if (!session->SaveJournal(path))
  {
    std::abort();
  }
  std::string line;
  std::getline(std::ifstream(path), line);
  std::remove(path.c_str());
  return line + "\n";
}
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  vtkObject::GlobalWarningDisplayOff();
  static const std::string goodHeader = header();
  static const std::string path = "/tmp/fuzz-journal-" + std::to_string(::getpid());
  const bool withHeader = size > 0 && data[0] % 2 != 0;
  {
    std::ofstream file(path, std::ios::binary);
    file << (withHeader ? goodHeader : "");
    file.write(reinterpret_cast<const char*>(data) + (size ? 1 : 0),
      static_cast<std::streamsize>(size ? size - 1 : 0));
  }
  vtkNew<vtkLabelMapEditSession> session;
  makeWorld(session);
  if (!session->OpenJournal(path))
  {
    if (session->GetLastError().empty() || session->GetSegmentTable()->GetNumberOfSegments() != 0 ||
      session->GetNumberOfUndoSteps() != 0)
    {
      std::abort(); // refused without a reason, or half read
    }
  }
  else if (!session->Apply(R"({"effect": "add_segment", "segment": "one more \u0001"})") &&
    session->GetLastError().empty())
  {
    std::abort();
  }
  vtkNew<vtkLabelMapEditSession> other;
  makeWorld(other);
  if (!other->ReplayJournal(path) && other->GetSegmentTable()->GetNumberOfSegments() != 0)
  {
    std::abort();
  }
  return 0;
}

// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Part of vtkSegmentation: IDs and names that are made here.
#include "vtkSegmentation.h"

#include "vtkMinimalStandardRandomSequence.h"
#include "vtkSmartPointer.h"

#include <algorithm>
#include <chrono>
#include <random>

//----------------------------------------------------------------------------
vtkMinimalStandardRandomSequence* vtkSegmentation::GetSegmentIDRandomSequenceInstance()
{
  static const auto sequence = []
  {
    auto made = vtkSmartPointer<vtkMinimalStandardRandomSequence>::New();
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    made->SetSeed(static_cast<int>(milliseconds & 0x7fffffff));
    return made;
  }();
  return sequence;
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::GenerateRandomSegmentID(int suffixLength, std::string validCharacters)
{
  if (validCharacters.empty())
  {
    validCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  }
  vtkMinimalStandardRandomSequence* sequence = GetSegmentIDRandomSequenceInstance();
  std::string id = "S_";
  for (int i = 0; i < suffixLength; ++i)
  {
    sequence->Next();
    const std::size_t index =
      static_cast<std::size_t>(sequence->GetValue() * static_cast<double>(validCharacters.size()));
    id += validCharacters[std::min(index, validCharacters.size() - 1)];
  }
  return id;
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::GenerateUUIDDerivedUID()
{
  std::random_device device;
  unsigned char bytes[16];
  for (unsigned char& byte : bytes)
  {
    byte = static_cast<unsigned char>(device() & 0xff);
  }
  bytes[6] = (bytes[6] & 0x0f) | 0x40; // version 4: random
  bytes[8] = (bytes[8] & 0x3f) | 0x80; // variant of RFC 4122
  // Long division of the 128-bit number by 10 gives its digits from the last to the first.
  std::string digits;
  while (std::any_of(bytes, bytes + 16, [](unsigned char byte) { return byte != 0; }))
  {
    unsigned int remainder = 0;
    for (unsigned char& byte : bytes)
    {
      const unsigned int value = remainder * 256 + byte;
      byte = static_cast<unsigned char>(value / 10);
      remainder = value % 10;
    }
    digits += static_cast<char>('0' + remainder);
  }
  return "2.25." + std::string(digits.rbegin(), digits.rend());
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::GenerateUniqueSegmentID(std::string id)
{
  if (id.empty())
  {
    do
    {
      id = this->UUIDSegmentIDs ? GenerateUUIDDerivedUID() : GenerateRandomSegmentID(16);
    } while (this->GetSegment(id));
    return id;
  }
  std::string unique = id;
  while (this->GetSegment(unique))
  {
    unique = id + "_" + std::to_string(++this->SegmentIdCounter);
  }
  return unique;
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::GenerateUniqueSegmentName(std::string base)
{
  int& number = this->FirstNameCandidate.emplace(base, 1).first->second;
  while (this->NameUsers.count(base + "_" + std::to_string(number)))
  {
    ++number;
  }
  return base + "_" + std::to_string(number);
}

// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// NRRD headers: what they mean, what is refused and how it is said, and thousands of broken ones.

#include "Check.h"
#include "NrrdFile.h"
#include "TemporaryFolder.h"

#include "vtkType.h"

#include <cmath>
#include <vector>

using segcore::FileError;
using segcore::Index;
using segcore::NrrdHeader;
using segcore::VolumeFile;

namespace
{

const std::string start = "NRRD0004\ntype: uint8\nencoding: raw\ndimension: 3\nsizes: 2 3 4\n";

NrrdHeader parse(const std::string& text)
{
  Index length = 0;
  return segcore::parseNrrdHeader(text, "test.nrrd", length);
}

VolumeFile axes(const std::string& text, bool unknownIsRAS = false)
{
  VolumeFile volume;
  segcore::interpretNrrdAxes(parse(text), "test.nrrd", unknownIsRAS, volume);
  return volume;
}

// The error must contain all the words.
void refused(const std::string& text, const std::vector<std::string>& words, int line)
{
  try
  {
    axes(text);
    check::fail(__FILE__, line, "accepted: " + text);
  }
  catch (const FileError& error)
  {
    for (const std::string& word : words)
    {
      if (std::string(error.what()).find(word) == std::string::npos)
      {
        check::fail(__FILE__, line, "'" + word + "' missing in: " + error.what());
      }
    }
  }
}
#define REFUSED(text, ...) refused(text, std::vector<std::string>{ __VA_ARGS__ }, __LINE__)

void fields()
{
  const NrrdHeader header =
    parse("NRRD0005\r\n# comment\r\ntype: unsigned short\r\nENCODING: gz\r\n"
          "endian: big\r\ndimension: 4\r\nsizes: 2 3 4 5\r\n"
          "space: LPS\r\nspace directions: none ( 1, 0,0) (0,1e0,0)(0,0,-2)\r\n"
          "space origin: (1,2,3)\r\nkinds: list domain domain domain\r\n"
          "a key:=a value: with := colons\r\nline\\nkey:=C:\\\\new\\nline\r\n\r\n");
  CHECK_EQUAL(header.scalarType, VTK_UNSIGNED_SHORT);
  CHECK(!header.littleEndian && header.encoding == segcore::Encoding::Gzip);
  CHECK_EQUAL(header.space, std::string("left-posterior-superior"));
  CHECK(header.spaceDirections.size() == 4 && header.spaceDirections[0].empty());
  CHECK_EQUAL(header.spaceDirections[3][2], -2.0);
  CHECK_EQUAL(header.keyValues.size(), std::size_t{ 2 });
  CHECK_EQUAL(header.keyValues[0].second, std::string("a value: with := colons"));
  CHECK_EQUAL(header.keyValues[1].first, std::string("line\nkey"));
  CHECK_EQUAL(header.keyValues[1].second, std::string("C:\\new\nline"));

  // Written and parsed again: the same.
  const NrrdHeader again = parse(header.toText());
  CHECK(again.sizes == header.sizes && again.spaceDirections == header.spaceDirections);
  CHECK(again.keyValues == header.keyValues && again.spaceOrigin == header.spaceOrigin);
  CHECK(again.scalarType == header.scalarType && !again.littleEndian);

  static const struct
  {
    const char* name;
    int type;
  } types[] = { { "int8", VTK_SIGNED_CHAR }, { "signed short int", VTK_SHORT }, { "INT", VTK_INT },
    { "uint32_t", VTK_UNSIGNED_INT }, { "long long", VTK_TYPE_INT64 },
    { "uint64", VTK_TYPE_UINT64 }, { "float", VTK_FLOAT }, { "double", VTK_DOUBLE } };
  for (const auto& type : types)
  {
    CHECK_EQUAL(
      parse(std::string("NRRD0001\nendian: little\nencoding: raw\ndimension: 1\nsizes: 2\ntype: ") +
        type.name + "\n\n")
        .scalarType,
      type.type);
  }
}

void encodings()
{
  const auto value = [](const std::string& text)
  { return parse(start + "# one more\nkey:=" + text + "\n\n"); };
  for (const char* text : { "", "a", "\xc3\xa9", "\xe6\xbc\xa2", "\xf0\x9f\xa6\xb4", "\xc2\x80",
         "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" })
  {
    const NrrdHeader header = value(text);
    CHECK_EQUAL(header.keyValues[0].second, std::string(text));
    CHECK_EQUAL(header.firstLatin1Line, std::size_t{ 0 });
  }
  // Not UTF-8: bytes that do not begin a character, one too few, one more than needed, half a
  // surrogate pair, beyond the last character.
  for (const char* text :
    { "\x80", "\xff", "\xfe", "\xc3", "\xc3(", "\xe6\xbc", "\xf0\x9f\xa6", "\xc0\x80", "\xc1\xbf",
      "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80" })
  {
    const NrrdHeader header = value(text);
    std::string expected;
    for (const char* c = text; *c; ++c)
    {
      const auto byte = static_cast<unsigned char>(*c);
      expected += byte < 0x80
        ? std::string(1, *c)
        : std::string(byte < 0xc0 ? "\xc2" : "\xc3") + static_cast<char>(0x80 + byte % 0x40);
    }
    CHECK_EQUAL(header.keyValues[0].second, expected);
    CHECK_EQUAL(header.firstLatin1Line, std::size_t{ 7 });
  }
  // The first one counts; a pair is of one kind.
  const NrrdHeader header = parse(start + "a\xe9:=\xfc\nb:=\xc3\xa9\nc:=\xe9\n\n");
  CHECK_EQUAL(header.firstLatin1Line, std::size_t{ 6 });
  CHECK_EQUAL(header.keyValues[0].first, std::string("a\xc3\xa9"));
  CHECK_EQUAL(header.keyValues[0].second, std::string("\xc3\xbc"));
  CHECK_EQUAL(header.keyValues[1].second, std::string("\xc3\xa9"));
  // In a message, too, and not cut within a character.
  REFUSED(start + "space: \xe9\n\n", "'\xc3\xa9'");
  REFUSED(start + "space: " + std::string(59, 'x') + "\xc3\xa9\n\n", std::string(59, 'x') + "...'");
}

void geometry()
{
  // The same place in the world, said in three spaces.
  const std::string tail =
    "space directions: (0,2,0) (-1,0,0) (0,0,3)\nspace origin: (10,20,30)\n\n";
  const double signs[3][2] = { { 1, 1 }, { -1, 1 }, { -1, -1 } };
  const char* spaces[3] = { "right-anterior-superior", "LAS", "left-posterior-superior" };
  for (int s = 0; s < 3; ++s)
  {
    const VolumeFile volume = axes(start + "space: " + spaces[s] + "\n" + tail);
    const auto& m = volume.geometry.matrix;
    CHECK_EQUAL(m[1][0], signs[s][1] * 2);
    CHECK_EQUAL(m[0][1], signs[s][0] * -1);
    CHECK_EQUAL(m[2][2], 3.0);
    CHECK_EQUAL(m[0][3], signs[s][0] * 10);
    CHECK_EQUAL(m[1][3], signs[s][1] * 20);
    CHECK_EQUAL(m[2][3], 30.0);
  }
  // No anatomical space: LPS, unless told otherwise.
  CHECK_EQUAL(axes(start + "space: 3D-right-handed\n" + tail).geometry.matrix[0][3], -10.0);
  CHECK_EQUAL(axes(start + "space: 3D-right-handed\n" + tail, true).geometry.matrix[0][3], 10.0);
  CHECK_EQUAL(axes(start + "space dimension: 3\n" + tail).geometry.matrix[0][3], -10.0);

  // ITK's reading of spacings and axis mins: half a voxel for cells, and cells unless nodes are
  // said.
  const VolumeFile mins =
    axes(start + "spacings: 1 2 nan\naxis mins: 10 20 30\ncenters: cell ??? node\n\n");
  CHECK_EQUAL(mins.geometry.matrix[0][3], -10.5);
  CHECK_EQUAL(mins.geometry.matrix[1][3], -21.0);
  CHECK_EQUAL(mins.geometry.matrix[2][3], 30.0);
  CHECK_EQUAL(mins.geometry.matrix[2][2], 1.0);

  // A slice gets a third axis at right angles.
  const VolumeFile slice =
    axes("NRRD0004\ntype: uint8\nencoding: raw\ndimension: 2\nsizes: 2 3\n"
         "space: RAS\nspace directions: (0,2,0) (0,0,2)\nspace origin: (1,2,3)\n\n");
  CHECK_EQUAL(slice.geometry.matrix[0][2], 1.0);
  CHECK(slice.voxels.whole() == segcore::Box::ofSize(2, 3, 1));

  // The component axis may be anywhere.
  const std::string four = "NRRD0004\ntype: uint8\nencoding: raw\ndimension: 4\nsizes: 5 6 7 8\n";
  CHECK_EQUAL(axes(four + "kinds: vector space space space\n\n").voxels.componentAxis, 0);
  CHECK_EQUAL(axes(four + "kinds: space space space list\n\n").voxels.componentAxis, 3);
  CHECK(axes(four + "kinds: space space list space\n\n").voxels.whole() ==
    segcore::Box::ofSize(5, 6, 8));
}

void refusals()
{
  CHECK(
    axes(start + "\n").voxels.whole() == segcore::Box::ofSize(2, 3, 4)); // as it stands it is right
  REFUSED("", "test.nrrd", "NRRD");
  REFUSED("NRRD0009\n\n", "test.nrrd:1", "NRRD0009", "NRRD0005");
  REFUSED("hello", "test.nrrd:1", "'hello'");
  REFUSED("NRRD0004\nsizes: 1 2\n\n", "test.nrrd:2", "before 'dimension'");
  REFUSED("NRRD0004\ntype: uint8\nencoding: raw\ndimension: 3\nsizes: 2 3\n\n", ":5", "2 values");
  REFUSED("NRRD0004\ndimension: 3\nsizes: 2 3 -4\n\n", ":3", "'-4'");
  REFUSED("NRRD0004\ndimension: 3\nsizes: 2 3 99999999999999999999\n\n", ":3", "integer");
  REFUSED("NRRD0004\ndimension: 99\n\n", ":2", "99", "16");
  REFUSED("NRRD0004\ntype: block\n\n", ":2", "'block'");
  REFUSED("NRRD0004\nencoding: bzip2\n\n", ":2", "bzip2", "gzip");
  REFUSED("NRRD0004\ntype: short\nencoding: raw\ndimension: 1\nsizes: 2\n\n", "'endian'");
  REFUSED("NRRD0004\ntype: uint8\ntype: uint8\n\n", ":3", "twice");
  REFUSED("NRRD0004\nno separator\n\n", ":2", "key:=value");
  REFUSED("NRRD0004\nspace: mars\n\n", ":2", "'mars'");
  REFUSED("NRRD0004\ndata file: LIST\n\n", ":2", "several files");
  REFUSED("NRRD0004\ndata file: slice%03d.raw 1 20 1\n\n", ":2", "several files");
  REFUSED("NRRD0004\nbyte skip: -2\n\n", ":2", "-1");
  REFUSED(start + "space: RAS\nspace directions: (1,0,0) (0,1,0) (0,0,1\n\n", ":7", "')'");
  REFUSED(start + "space: RAS\nspace directions: (1,0,0) (0,1,0) (0,0,x)\n\n", ":7", "'x'");
  REFUSED(start + "space: RAS\nspace directions: (1,0,0) (0,1,0) (0,1,0)\n\n", "plane");
  REFUSED(start + "space: RAS\nspace directions: (1,0,0) (0,nan,0) (0,0,1)\n\n", "finite");
  REFUSED(start + "space: RAS\nspace directions: (1,0) (0,1) (1,1)\n\n", "axis 0", "2 numbers");
  REFUSED(start + "space directions: (1,0,0) (0,1,0) (0,0,1)\n\n", "'space'");
  REFUSED("NRRD0004\ntype: uint8\nencoding: raw\ndimension: 4\nsizes: 5 6 7 8\n\n", "kinds");
  REFUSED("NRRD0004\ntype: uint8\nencoding: raw\ndimension: 4\nsizes: 5 6 7 8\n"
          "kinds: space space space time\n\n",
    "time", "8 steps");
  REFUSED("NRRD0004\ntype: uint8\nencoding: raw\ndimension: 4\nsizes: 5 6 7 8\n"
          "kinds: vector space space list\n\n",
    "more than one axis");
}

void files()
{
  TemporaryFolder folder("TestNrrdFile");
  const std::string data(24, 'x');
  CHECK_EQUAL(segcore::openNrrd(folder.write("a.nrrd", start + "\n" + data)).voxels.offset,
    static_cast<Index>(start.size() + 1));

  const auto refuses = [&](const std::string& bytes, const std::string& word)
  {
    try
    {
      segcore::openNrrd(folder.write("bad.nrrd", bytes));
      check::fail(__FILE__, __LINE__, "accepted a file that should fail with '" + word + "'");
    }
    catch (const FileError& error)
    {
      if (std::string(error.what()).find(word) == std::string::npos)
      {
        check::fail(__FILE__, __LINE__, "'" + word + "' missing in: " + error.what());
      }
    }
  };
  refuses(start + "\n" + data.substr(1), "24 bytes");
  refuses(start, "empty line");
  const std::string huge = "NRRD0004\ntype: uint8\nencoding: raw\ndimension: 3\n"
                           "sizes: 2147483647 2147483647 2147483647\n\n";
  refuses(huge, "2^62");
  const std::string bomb = "NRRD0004\ntype: uint8\nencoding: gzip\ndimension: 3\n"
                           "sizes: 100000 100000 1000\n\n";
  refuses(bomb + gzipped(data), "cannot hold");
  refuses(start + "byte skip: 30\n\n" + data, "'byte skip'");
  refuses(start + "line skip: 3\n\n" + data, "lines");
  refuses("NRRD0004\n" + std::string(std::size_t{ 65 } << 20, 'a'), "empty line");

  CHECK_EQUAL(segcore::openNrrd(folder.write("b.nrrd", start + "byte skip: -1\n\nfiller" + data))
                .voxels.offset,
    static_cast<Index>(start.size() + 14 + 1 + 6));
  CHECK_EQUAL(segcore::openNrrd(
                folder.write("c.nrrd", start + "line skip: 2\nbyte skip: 1\n\na\nb\n." + data))
                .voxels.offset,
    static_cast<Index>(start.size() + 13 + 13 + 1 + 5));

  // Detached data: beside the header, below it, and nowhere else.
  folder.write("data.raw", data);
  std::filesystem::create_directories(folder.path() / "in" / "sub");
  folder.write("in/sub/data.raw", data);
  const auto header = [&](const std::string& name)
  { return folder.write("in/h.nhdr", start + "data file: " + name + "\n"); };
  CHECK_EQUAL(segcore::openNrrd(header("sub/data.raw")).voxels.offset, Index{ 0 });
  CHECK_EQUAL(segcore::openNrrd(header("./sub/../sub/data.raw")).voxels.offset, Index{ 0 });
  CHECK_THROWS(segcore::openNrrd(header("missing.raw")), FileError);
  CHECK_THROWS(segcore::openNrrd(header("../data.raw")), FileError);
  CHECK_THROWS(segcore::openNrrd(header(folder / "data.raw")), FileError);
  CHECK_THROWS(segcore::openNrrd(header("sub")), FileError);
  std::error_code error;
  std::filesystem::create_symlink(
    folder.path() / "data.raw", folder.path() / "in" / "link.raw", error);
  if (!error)
  {
    CHECK_THROWS(segcore::openNrrd(header("link.raw")), FileError);
  }
  segcore::OpenOptions trusting;
  trusting.allowDataFileElsewhere = true;
  CHECK_EQUAL(segcore::openNrrd(header("../data.raw"), trusting).voxels.offset, Index{ 0 });
  CHECK_EQUAL(segcore::openNrrd(header(folder / "data.raw"), trusting).voxels.offset, Index{ 0 });
}

// Broken headers must be refused or understood, nothing else. Run under sanitizers.
void mutations()
{
  const std::vector<std::string> seeds = {
    start +
      "space: LPS\nspace directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (1,2,3)\n"
      "kinds: domain domain domain\nkey:=value\n\n" +
      std::string(24, 'x'),
    "NRRD0005\ntype: double\ndimension: 4\nspace: right-anterior-superior\nsizes: 2 2 2 2\n"
    "space directions: none (1,0,0) (0,1,0) (0,0,1)\nkinds: vector domain domain domain\nendian: "
    "big\n"
    "encoding: gzip\nspace origin: (0,0,0)\nbyte skip: 0\nline skip: 0\n\n" +
      gzipped(std::string(128, 'y')),
    "NRRD0001\r\ntype: int\r\ndimension: 2\r\nsizes: 2 2\r\nencoding: ascii\r\nspacings: 1 nan\r\n"
    "axis mins: 0 0\r\naxis maxs: 1 1\r\ncenters: node cell\r\n\r\n1 2 3 4",
    start + "data file: data.raw\n",
  };
  const std::vector<std::string> inserts = { "-", "9", "\n", "\r", ":", "=", "(", ")", ",", "%",
    "nan", "1e999", "4294967296", "-1", std::string(1, '\0'), "\xff", "none", "\n\n", "../",
    "dimension: 3\n", "sizes: 1 1 1\n" };
  TemporaryFolder folder("TestNrrdFileMutations");
  folder.write("data.raw", std::string(24, 'z'));
  check::Random random(20240117);
  int understood = 0;
  for (int round = 0; round < 6000; ++round)
  {
    check::setContext("round ", round);
    std::string text =
      seeds[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(seeds.size())))];
    if (random.below(4) == 0)
    {
      text.resize(static_cast<std::size_t>(random.below(static_cast<std::int64_t>(text.size()))));
    }
    for (std::int64_t change = random.below(4); change > 0 && !text.empty(); --change)
    {
      const auto at =
        static_cast<std::size_t>(random.below(static_cast<std::int64_t>(text.size())));
      switch (random.below(4))
      {
        case 0:
          text[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          text.erase(at, static_cast<std::size_t>(random.between(1, 9)));
          break;
        case 2:
          text.insert(at,
            inserts[static_cast<std::size_t>(
              random.below(static_cast<std::int64_t>(inserts.size())))]);
          break;
        default:
          text.insert(at,
            text.substr(
              static_cast<std::size_t>(random.below(static_cast<std::int64_t>(at + 1))), 12));
      }
    }
    try
    {
      Index length = 0;
      VolumeFile fromText;
      segcore::interpretNrrdAxes(
        segcore::parseNrrdHeader(text, "m.nrrd", length), "m.nrrd", false, fromText);
      // What is understood goes through a file, too.
      const std::string path = folder.write("m.nrrd", text);
      const VolumeFile volume = segcore::openVolume(path);
      // If it is understood, it can be read, or it fails cleanly.
      const segcore::Box whole = volume.voxels.whole();
      if (volume.voxels.decodedBytes() < (Index{ 1 } << 22))
      {
        std::vector<unsigned char> values(static_cast<std::size_t>(volume.voxels.decodedBytes()));
        std::vector<segcore::VoxelTarget> targets;
        for (Index c = 0; c < volume.voxels.components(); ++c)
        {
          targets.push_back(
            { values.data() + c * volume.voxels.scalarSize(), volume.voxels.components() });
        }
        segcore::readVoxels(volume.voxels, whole, whole, targets);
        ++understood;
      }
    }
    catch (const FileError& error)
    {
      CHECK(std::string(error.what()).size() > 5);
    }
  }
  check::setContext("");
  CHECK(understood > 300); // the mutations are not all hopeless
}

} // namespace

int TestNrrdFile(int, char*[])
{
  fields();
  encodings();
  geometry();
  refusals();
  files();
  mutations();
  return check::result();
}

// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "NrrdFile.h"

#include "TextNumbers.h"

#include "vtkType.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

namespace segcore
{

namespace
{

std::string lower(std::string text)
{
  for (char& c : text)
  {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

std::string trimmed(const std::string& text)
{
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos)
  {
    return std::string();
  }
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// As RFC 3629 has it: no longer than needed, no surrogates, nothing beyond U+10FFFF.
bool isUtf8(const std::string& text)
{
  const auto byte = [&](std::size_t at)
  { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
  for (std::size_t i = 0; i < text.size();)
  {
    const unsigned first = byte(i);
    const std::size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    if ((first >= 0x80 && first < 0xc2) || first > 0xf4)
    {
      return false;
    }
    const unsigned second = byte(i + 1);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
    {
      return false;
    }
    for (std::size_t k = 1; k <= more; ++k)
    {
      if ((byte(i + k) & 0xc0) != 0x80)
      {
        return false;
      }
    }
    i += more + 1;
  }
  return true;
}

// Of ISO 8859-1, which each byte is a character of.
std::string toUtf8(const std::string& text)
{
  std::string result;
  for (const char c : text)
  {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80)
    {
      result += c;
    }
    else
    {
      result += static_cast<char>(0xc0 | byte >> 6);
      result += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return result;
}

// Text of a file in a message: printable and short.
std::string shown(const std::string& text)
{
  std::size_t size = std::min<std::size_t>(text.size(), 60);
  for (int i = 0; i < 3 && size < text.size() && (text[size] & 0xc0) == 0x80; ++i)
  {
    --size; // not in the middle of a character
  }
  std::string part = text.substr(0, size);
  for (char& c : part)
  {
    c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  return "'" + (isUtf8(part) ? part : toUtf8(part)) + (size < text.size() ? "...'" : "'");
}

struct Line
{
  std::string path;
  std::size_t number = 0;

  [[noreturn]] void fail(const std::string& text) const
  {
    throw FileError(this->path + ":" + std::to_string(this->number) + ": " + text);
  }
};

int scalarTypeFromName(const std::string& name)
{
  static const struct
  {
    const char* names;
    int type;
  } types[] = {
    { "|signed char|int8|int8_t|", VTK_SIGNED_CHAR },
    { "|uchar|unsigned char|uint8|uint8_t|", VTK_UNSIGNED_CHAR },
    { "|short|short int|signed short|signed short int|int16|int16_t|", VTK_SHORT },
    { "|ushort|unsigned short|unsigned short int|uint16|uint16_t|", VTK_UNSIGNED_SHORT },
    { "|int|signed int|int32|int32_t|", VTK_INT },
    { "|uint|unsigned int|uint32|uint32_t|", VTK_UNSIGNED_INT },
    { "|longlong|long long|long long int|signed long long|signed long long int|int64|int64_t|",
      VTK_TYPE_INT64 },
    { "|ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t|", VTK_TYPE_UINT64 },
    { "|float|", VTK_FLOAT },
    { "|double|", VTK_DOUBLE },
  };
  for (const auto& entry : types)
  {
    if (!name.empty() && name.find('|') == std::string::npos &&
      std::string(entry.names).find("|" + name + "|") != std::string::npos)
    {
      return entry.type;
    }
  }
  return 0;
}

const char* scalarTypeName(int type)
{
  switch (type)
  {
    case VTK_CHAR:
      return static_cast<char>(-1) < 0 ? "signed char" : "unsigned char";
    case VTK_SIGNED_CHAR:
      return "signed char";
    case VTK_UNSIGNED_CHAR:
      return "unsigned char";
    case VTK_SHORT:
      return "short";
    case VTK_UNSIGNED_SHORT:
      return "unsigned short";
    case VTK_INT:
      return "int";
    case VTK_UNSIGNED_INT:
      return "unsigned int";
    case VTK_TYPE_INT64:
      return "int64";
    case VTK_TYPE_UINT64:
      return "uint64";
    case VTK_FLOAT:
      return "float";
    case VTK_DOUBLE:
      return "double";
    default:
      throw std::invalid_argument("NRRD has no name for VTK scalar type " + std::to_string(type));
  }
}

std::string unescaped(const std::string& text)
{
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i)
  {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '\\' || text[i + 1] == 'n'))
    {
      result += text[++i] == 'n' ? '\n' : '\\';
    }
    else
    {
      result += text[i];
    }
  }
  return result;
}

std::string escaped(const std::string& text)
{
  std::string result;
  for (const char c : text)
  {
    if (c == '\\' || c == '\n')
    {
      result += c == '\n' ? "\\n" : "\\\\";
    }
    else
    {
      result += c == '\r' ? ' ' : c; // a bare CR would be taken for part of the line end
    }
  }
  return result;
}

double toReal(const Line& line, const std::string& word)
{
  double value = 0.0;
  if (!parseReal(word, value))
  {
    line.fail(shown(word) + " found, a number is needed");
  }
  return value;
}

Index toInteger(const Line& line, const std::string& word)
{
  std::int64_t value = 0;
  if (!parseInteger(word, value))
  {
    line.fail(shown(word) + " found, an integer is needed");
  }
  return value;
}

std::vector<double> toReals(const Line& line, const std::string& text)
{
  std::vector<double> values;
  for (const std::string& word : splitWords(text))
  {
    values.push_back(toReal(line, word));
    if (values.size() > NrrdHeader::MaximumAxes)
    {
      line.fail("more than " + std::to_string(NrrdHeader::MaximumAxes) + " numbers found");
    }
  }
  return values;
}

// "(1,0,0) none (0,1,0)": blanks are possible anywhere within the parentheses.
std::vector<std::vector<double>> toVectors(const Line& line, const std::string& text)
{
  std::vector<std::vector<double>> vectors;
  std::size_t i = 0;
  while ((i = text.find_first_not_of(" \t\r", i)) != std::string::npos)
  {
    if (vectors.size() >= NrrdHeader::MaximumAxes)
    {
      line.fail("more than " + std::to_string(NrrdHeader::MaximumAxes) + " vectors found");
    }
    if (text[i] != '(')
    {
      const std::size_t end = std::min(text.find_first_of(" \t\r(", i), text.size());
      const std::string word = lower(text.substr(i, end - i));
      if (word != "none" && word != "nan")
      {
        line.fail(
          shown(text.substr(i, end - i)) + " found, 'none' or a vector like (1,0,0) is needed");
      }
      vectors.emplace_back();
      i = end;
      continue;
    }
    const std::size_t end = text.find(')', i);
    if (end == std::string::npos)
    {
      line.fail("a vector begins with '(' and does not end with ')'");
    }
    std::vector<double> vector;
    std::string inside = text.substr(i + 1, end - i - 1) + ",";
    for (std::size_t begin = 0; begin < inside.size();)
    {
      const std::size_t comma = inside.find(',', begin);
      vector.push_back(toReal(line, trimmed(inside.substr(begin, comma - begin))));
      if (vector.size() > NrrdHeader::MaximumAxes)
      {
        line.fail("a vector has more than " + std::to_string(NrrdHeader::MaximumAxes) + " numbers");
      }
      begin = comma + 1;
    }
    vectors.push_back(std::move(vector));
    i = end + 1;
  }
  return vectors;
}

// Quoted strings or plain words, one per axis.
std::vector<std::string> toStrings(const std::string& text)
{
  std::vector<std::string> words = splitWords(text);
  for (std::string& word : words)
  {
    word = lower(word);
  }
  return words;
}

// Everything but the fields that say what the space is.
void parseField(NrrdHeader& header, const Line& line, const std::string& field,
  const std::string& value, std::size_t& dimension, bool& endianKnown, bool& encodingKnown)
{
  const auto perAxis = [&](std::size_t count)
  {
    if (dimension == 0)
    {
      line.fail("'" + field + "' found before 'dimension'");
    }
    if (count != dimension)
    {
      line.fail("'" + field + "' has " + std::to_string(count) + " values, 'dimension' says " +
        std::to_string(dimension));
    }
  };
  if (field == "dimension")
  {
    const Index axes = toInteger(line, value);
    if (axes < 1 || axes > static_cast<Index>(NrrdHeader::MaximumAxes))
    {
      line.fail("dimension " + std::to_string(axes) + " found, 1 to " +
        std::to_string(NrrdHeader::MaximumAxes) + " is possible");
    }
    dimension = static_cast<std::size_t>(axes);
  }
  else if (field == "type")
  {
    header.scalarType = scalarTypeFromName(lower(value));
    if (header.scalarType == 0)
    {
      line.fail("type " + shown(value) +
        " found, one of int8, uint8, int16, uint16, int32, uint32, int64,"
        " uint64, float, double (or their C names) is needed");
    }
  }
  else if (field == "encoding")
  {
    const std::string name = lower(value);
    encodingKnown = true;
    if (name == "raw")
    {
      header.encoding = Encoding::Raw;
    }
    else if (name == "gzip" || name == "gz")
    {
      header.encoding = Encoding::Gzip;
    }
    else if (name == "text" || name == "txt" || name == "ascii")
    {
      header.encoding = Encoding::Text;
    }
    else
    {
      line.fail("encoding " + shown(value) + " found; raw, gzip and text can be read");
    }
  }
  else if (field == "endian")
  {
    const std::string name = lower(value);
    if (name != "little" && name != "big")
    {
      line.fail("endian " + shown(value) + " found, little or big is needed");
    }
    header.littleEndian = name == "little";
    endianKnown = true;
  }
  else if (field == "sizes")
  {
    const std::vector<std::string> words = splitWords(value);
    perAxis(words.size());
    header.sizes.clear();
    for (const std::string& word : words)
    {
      const Index size = toInteger(line, word);
      if (size < 1 || size > VTK_INT_MAX)
      {
        line.fail(
          "size " + shown(word) + " found, 1 to " + std::to_string(VTK_INT_MAX) + " is possible");
      }
      header.sizes.push_back(size);
    }
  }
  else if (field == "space")
  {
    header.space = lower(value);
    static const struct
    {
      const char* name;
      const char* brief;
      int dimension;
    } spaces[] = {
      { "right-anterior-superior", "ras", 3 },
      { "left-anterior-superior", "las", 3 },
      { "left-posterior-superior", "lps", 3 },
      { "right-anterior-superior-time", "rast", 4 },
      { "left-anterior-superior-time", "last", 4 },
      { "left-posterior-superior-time", "lpst", 4 },
      { "scanner-xyz", "", 3 },
      { "scanner-xyz-time", "", 4 },
      { "3d-right-handed", "", 3 },
      { "3d-left-handed", "", 3 },
      { "3d-right-handed-time", "", 4 },
      { "3d-left-handed-time", "", 4 },
    };
    for (const auto& space : spaces)
    {
      if (header.space == space.name || (*space.brief && header.space == space.brief))
      {
        header.space = space.name;
        header.spaceDimension = space.dimension;
        return;
      }
    }
    line.fail("space " + shown(value) + " found, which NRRD does not define");
  }
  else if (field == "space dimension")
  {
    const Index axes = toInteger(line, value);
    if (axes < 1 || axes > static_cast<Index>(NrrdHeader::MaximumAxes))
    {
      line.fail("space dimension " + std::to_string(axes) + " found, 1 to " +
        std::to_string(NrrdHeader::MaximumAxes) + " is possible");
    }
    header.spaceDimension = static_cast<int>(axes);
  }
  else if (field == "space directions")
  {
    header.spaceDirections = toVectors(line, value);
    perAxis(header.spaceDirections.size());
  }
  else if (field == "space origin")
  {
    const auto vectors = toVectors(line, value);
    if (vectors.size() != 1)
    {
      line.fail(std::to_string(vectors.size()) + " vectors found, one is needed");
    }
    header.spaceOrigin = vectors[0];
  }
  else if (field == "spacings" || field == "axis mins" || field == "axismins" ||
    field == "axis maxs" || field == "axismaxs")
  {
    std::vector<double> values = toReals(line, value);
    perAxis(values.size());
    (field == "spacings"                 ? header.spacings
        : field[field.size() - 2] == 'n' ? header.axisMins
                                         : header.axisMaxs) = std::move(values);
  }
  else if (field == "kinds" || field == "centers" || field == "centerings")
  {
    std::vector<std::string> words = toStrings(value);
    perAxis(words.size());
    (field == "kinds" ? header.kinds : header.centers) = std::move(words);
  }
  else if (field == "line skip" || field == "lineskip")
  {
    header.lineSkip = toInteger(line, value);
    if (header.lineSkip < 0)
    {
      line.fail("line skip " + shown(value) + " found, 0 or above is needed");
    }
  }
  else if (field == "byte skip" || field == "byteskip")
  {
    header.byteSkip = toInteger(line, value);
    if (header.byteSkip < -1)
    {
      line.fail("byte skip " + shown(value) + " found, -1 or above is needed");
    }
  }
  else if (field == "data file" || field == "datafile")
  {
    const std::vector<std::string> words = splitWords(value);
    if (value.empty())
    {
      line.fail("'data file' names no file");
    }
    if (words[0] == "LIST" || (words.size() >= 4 && value.find('%') != std::string::npos))
    {
      line.fail("data in several files (" + shown(value) +
        ") is not supported; convert to one file, for example with 'unu save'");
    }
    header.dataFile = value;
  }
  // Fields that say nothing about voxels or geometry (content, units, labels, thicknesses,
  // measurement frame, number, old min, sample units, ...) and unknown ones are passed over.
}

} // namespace

//----------------------------------------------------------------------------
NrrdHeader parseNrrdHeader(const std::string& bytes, const std::string& path, Index& headerBytes)
{
  NrrdHeader header;
  Line line{ path, 0 };
  std::size_t dimension = 0;
  bool endianKnown = false;
  bool encodingKnown = false;
  bool ended = false;
  std::size_t position = 0;
  headerBytes = 0;
  std::vector<std::string> seen;
  while (position < bytes.size() && !ended)
  {
    ++line.number;
    if (line.number > NrrdHeader::MaximumLines)
    {
      line.fail("the header has more than " + std::to_string(NrrdHeader::MaximumLines) + " lines");
    }
    const std::size_t end = std::min(bytes.find('\n', position), bytes.size());
    if (end > NrrdHeader::MaximumBytes)
    {
      line.fail("the header is longer than " + std::to_string(NrrdHeader::MaximumBytes) + " bytes");
    }
    std::string text = bytes.substr(position, end - position);
    position = std::min(end + 1, bytes.size());
    if (!text.empty() && text.back() == '\r')
    {
      text.pop_back();
    }
    if (line.number == 1)
    {
      if (text.size() < 8 || text.compare(0, 7, "NRRD000") != 0 || text[7] < '1' || text[7] > '5')
      {
        line.fail(shown(text) + " found, NRRD0001 to NRRD0005 is needed");
      }
      header.version = text[7] - '0';
      continue;
    }
    if (text.empty())
    {
      ended = true;
      headerBytes = static_cast<Index>(position);
      break;
    }
    if (text[0] == '#')
    {
      continue;
    }
    const std::size_t pair = text.find(":=");
    const std::size_t colon = text.find(": ");
    if (pair != std::string::npos && pair < colon)
    {
      std::string key = text.substr(0, pair);
      std::string value = text.substr(pair + 2);
      if (!isUtf8(text))
      {
        key = toUtf8(key);
        value = toUtf8(value);
        header.firstLatin1Line = header.firstLatin1Line ? header.firstLatin1Line : line.number;
      }
      header.keyValues.emplace_back(unescaped(key), unescaped(value));
      continue;
    }
    const std::size_t separator = colon != std::string::npos ? colon : text.find(':');
    if (separator == std::string::npos)
    {
      line.fail(shown(text) + " found, 'field: value', 'key:=value' or '# comment' is needed");
    }
    const std::string field = lower(trimmed(text.substr(0, separator)));
    if (std::find(seen.begin(), seen.end(), field) != seen.end())
    {
      line.fail("the field '" + field + "' is there twice");
    }
    if (seen.size() >= 100)
    {
      line.fail("more than 100 fields found");
    }
    seen.push_back(field);
    parseField(header, line, field, trimmed(text.substr(separator + 1)), dimension, endianKnown,
      encodingKnown);
  }

  const auto need = [&](bool there, const char* what)
  {
    if (!there)
    {
      throw FileError(path + ": the header " + (ended ? "has no '" : "ends without '") + what +
        "', which is needed");
    }
  };
  need(line.number > 0, "NRRD000x");
  need(dimension > 0, "dimension");
  need(header.scalarType != 0, "type");
  need(!header.sizes.empty(), "sizes");
  need(encodingKnown, "encoding");
  VoxelFile probe;
  probe.path = path;
  probe.scalarType = header.scalarType;
  need(endianKnown || header.encoding == Encoding::Text || probe.scalarSize() == 1, "endian");
  return header;
}

//----------------------------------------------------------------------------
void interpretNrrdAxes(
  const NrrdHeader& header, const std::string& path, bool unknownSpaceIsRAS, VolumeFile& volume)
{
  const std::size_t axes = header.sizes.size();
  const auto kind = [&](std::size_t axis)
  { return header.kinds.empty() ? std::string("???") : header.kinds[axis]; };
  const auto isUnknown = [](const std::string& name) { return name == "???" || name == "none"; };
  const auto isSpatialKind = [](const std::string& name)
  { return name == "domain" || name == "space"; };

  for (std::size_t axis = 0; axis < axes; ++axis)
  {
    if (kind(axis) == "time" && header.sizes[axis] > 1)
    {
      throw FileError(path + ": axis " + std::to_string(axis) + " is time with " +
        std::to_string(header.sizes[axis]) +
        " steps; time series are not supported, extract one volume first");
    }
  }

  // Which axes are spatial: those with a direction; else those whose kind says so; else, up to
  // three.
  std::vector<bool> spatial(axes, false);
  if (!header.spaceDirections.empty())
  {
    for (std::size_t axis = 0; axis < axes; ++axis)
    {
      spatial[axis] = !header.spaceDirections[axis].empty();
    }
  }
  else
  {
    bool anyKind = false;
    for (std::size_t axis = 0; axis < axes; ++axis)
    {
      anyKind = anyKind || !isUnknown(kind(axis));
    }
    if (!anyKind && axes > 3)
    {
      throw FileError(path + ": " + std::to_string(axes) +
        " axes, but neither 'kinds' nor 'space directions' say which of them are spatial");
    }
    for (std::size_t axis = 0; axis < axes; ++axis)
    {
      spatial[axis] = !anyKind || isSpatialKind(kind(axis)) || isUnknown(kind(axis));
    }
  }
  std::vector<std::size_t> spatialAxes;
  std::vector<std::size_t> otherAxes;
  for (std::size_t axis = 0; axis < axes; ++axis)
  {
    (spatial[axis] ? spatialAxes : otherAxes).push_back(axis);
  }
  // Axes of size 1 that are not spatial count nothing.
  VoxelFile& voxels = volume.voxels;
  voxels.sizes.clear();
  voxels.componentAxis = -1;
  std::fill_n(voxels.spatialAxis, 3, -1);
  int named = 0;
  for (std::size_t axis = 0; axis < axes; ++axis)
  {
    if (spatial[axis])
    {
      if (named == 3)
      {
        throw FileError(path + ": " + std::to_string(spatialAxes.size()) +
          " spatial axes found (is it a time series?), up to 3 are possible");
      }
      voxels.spatialAxis[named++] = static_cast<int>(voxels.sizes.size());
    }
    else
    {
      if (header.sizes[axis] == 1 && otherAxes.size() > 1)
      {
        continue;
      }
      if (voxels.componentAxis >= 0)
      {
        throw FileError(path +
          ": more than one axis that is not spatial found, one (components or"
          " layers) is possible");
      }
      voxels.componentAxis = static_cast<int>(voxels.sizes.size());
    }
    voxels.sizes.push_back(header.sizes[axis]);
  }
  if (spatialAxes.empty())
  {
    throw FileError(path + ": no spatial axis found");
  }

  // Columns of the matrix in the file's own space.
  IndexToWorld& geometry = volume.geometry;
  geometry = IndexToWorld();
  const bool directed = !header.spaceDirections.empty();
  if (directed && header.spaceDimension == 0)
  {
    throw FileError(path + ": 'space directions' found without 'space' or 'space dimension'");
  }
  if (header.spaceDimension > 3 || (directed && header.spaceDimension < 2))
  {
    throw FileError(path + ": a space of " + std::to_string(header.spaceDimension) +
      " dimensions found; time series are not supported, 2 or 3 are possible");
  }
  const std::size_t spaceDimension = static_cast<std::size_t>(header.spaceDimension);
  if (directed)
  {
    for (std::size_t column = 0; column < spatialAxes.size(); ++column)
    {
      const std::vector<double>& vector = header.spaceDirections[spatialAxes[column]];
      if (vector.size() != spaceDimension)
      {
        throw FileError(path + ": the space direction of axis " +
          std::to_string(spatialAxes[column]) + " has " + std::to_string(vector.size()) +
          " numbers, the space has " + std::to_string(spaceDimension) + " dimensions");
      }
      for (std::size_t row = 0; row < 3; ++row)
      {
        geometry.matrix[row][column] = row < vector.size() ? vector[row] : 0.0;
      }
    }
    // The missing columns of a slice or a line: at right angles, one millimetre.
    double (&m)[3][4] = geometry.matrix;
    if (spatialAxes.size() == 1)
    {
      const int smallest = std::abs(m[0][0]) < std::abs(m[1][0]) ? 0 : 1;
      double length = 0.0;
      const double u[3] = { smallest == 0 ? 1.0 : 0.0, smallest == 1 ? 1.0 : 0.0, 0.0 };
      const double cross[3] = { u[1] * m[2][0] - u[2] * m[1][0], u[2] * m[0][0] - u[0] * m[2][0],
        u[0] * m[1][0] - u[1] * m[0][0] };
      length = std::sqrt(cross[0] * cross[0] + cross[1] * cross[1] + cross[2] * cross[2]);
      for (int row = 0; row < 3; ++row)
      {
        m[row][1] = length > 0.0 ? cross[row] / length : 0.0;
      }
    }
    if (spatialAxes.size() < 3)
    {
      const double cross[3] = { m[1][0] * m[2][1] - m[2][0] * m[1][1],
        m[2][0] * m[0][1] - m[0][0] * m[2][1], m[0][0] * m[1][1] - m[1][0] * m[0][1] };
      const double length =
        std::sqrt(cross[0] * cross[0] + cross[1] * cross[1] + cross[2] * cross[2]);
      for (int row = 0; row < 3; ++row)
      {
        m[row][2] = length > 0.0 ? cross[row] / length : 0.0;
      }
    }
  }
  else
  {
    for (std::size_t column = 0; column < spatialAxes.size(); ++column)
    {
      const std::size_t axis = spatialAxes[column];
      const double spacing = header.spacings.empty() ? std::nan("") : header.spacings[axis];
      const double mins = header.axisMins.empty() ? std::nan("") : header.axisMins[axis];
      const double maxs = header.axisMaxs.empty() ? std::nan("") : header.axisMaxs[axis];
      const bool node = !header.centers.empty() && header.centers[axis] == "node";
      double step = spacing;
      if (!std::isfinite(step) || step == 0.0)
      {
        const double steps = static_cast<double>(header.sizes[axis]) - (node ? 1.0 : 0.0);
        step = (maxs - mins) / steps;
        step = std::isfinite(step) && step != 0.0 ? step : 1.0;
      }
      geometry.matrix[column][column] = step;
      geometry.matrix[column][3] = std::isfinite(mins) ? mins + (node ? 0.0 : 0.5 * step) : 0.0;
    }
  }
  if (!header.spaceOrigin.empty())
  {
    if (header.spaceOrigin.size() != spaceDimension)
    {
      throw FileError(path + ": 'space origin' has " + std::to_string(header.spaceOrigin.size()) +
        " numbers, the space has " + std::to_string(spaceDimension) + " dimensions");
    }
    for (std::size_t row = 0; row < 3; ++row)
    {
      geometry.matrix[row][3] = row < spaceDimension ? header.spaceOrigin[row] : 0.0;
    }
  }

  // To RAS.
  double sign[2] = { -1.0, -1.0 };
  if (header.space == "right-anterior-superior")
  {
    sign[0] = sign[1] = 1.0;
  }
  else if (header.space == "left-anterior-superior")
  {
    sign[1] = 1.0;
  }
  else if (header.space != "left-posterior-superior" && unknownSpaceIsRAS)
  {
    sign[0] = sign[1] = 1.0;
  }
  for (int row = 0; row < 2; ++row)
  {
    for (int column = 0; column < 4; ++column)
    {
      if (geometry.matrix[row][column] != 0.0) // no "-0"
      {
        geometry.matrix[row][column] *= sign[row];
      }
    }
  }
  // A slice stays right-handed or left-handed as its third axis was chosen in the file's space.
  geometry.check(path);
}

//----------------------------------------------------------------------------
VolumeFile openNrrd(const std::string& path, const OpenOptions& options)
{
  const Index length = fileLength(path);
  // Read until the empty line; a detached header may end without one.
  std::string bytes;
  {
    std::ifstream stream(std::filesystem::u8path(path), std::ios::binary);
    if (!stream)
    {
      throw FileError(path + ": cannot be opened for reading");
    }
    std::vector<char> chunk(std::size_t{ 1 } << 16);
    std::size_t searched = 0;
    for (;;)
    {
      stream.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
      bytes.append(chunk.data(), static_cast<std::size_t>(stream.gcount()));
      if (bytes.size() >= 4 && bytes.compare(0, 4, "NRRD") != 0)
      {
        break;
      }
      if (!stream || bytes.find("\n\n", searched) != std::string::npos ||
        bytes.find("\n\r\n", searched) != std::string::npos)
      {
        break;
      }
      searched = bytes.size() < 2 ? 0 : bytes.size() - 2;
      if (bytes.size() > NrrdHeader::MaximumBytes)
      {
        throw FileError(path + ": no empty line, which ends an NRRD header, within " +
          std::to_string(NrrdHeader::MaximumBytes) + " bytes");
      }
    }
  }
  Index headerBytes = 0;
  const NrrdHeader header = parseNrrdHeader(bytes, path, headerBytes);

  VolumeFile volume;
  interpretNrrdAxes(header, path, options.unknownSpaceIsRAS, volume);
  for (const auto& pair : header.keyValues)
  {
    volume.keyValues[pair.first] = pair.second;
  }
  volume.firstLatin1Line = header.firstLatin1Line;

  VoxelFile& voxels = volume.voxels;
  voxels.encoding = header.encoding;
  voxels.scalarType = header.scalarType;
  const std::uint16_t one = 1;
  const bool hostIsLittle = *reinterpret_cast<const unsigned char*>(&one) == 1;
  voxels.swapBytes = header.encoding != Encoding::Text && voxels.scalarSize() > 1 &&
    header.littleEndian != hostIsLittle;

  namespace fs = std::filesystem;
  if (header.dataFile.empty())
  {
    voxels.path = path;
    if (headerBytes == 0)
    {
      throw FileError(path + ": the file ends within the header (no empty line after " +
        std::to_string(length) + " bytes); is it incomplete?");
    }
    voxels.offset = headerBytes;
  }
  else
  {
    const fs::path folder = fs::absolute(fs::u8path(path)).parent_path();
    const fs::path named = fs::u8path(header.dataFile);
    const fs::path data = named.is_absolute() ? named : folder / named;
    if (!options.allowDataFileElsewhere)
    {
      std::error_code error;
      const fs::path home = fs::weakly_canonical(folder, error);
      const fs::path target = error ? data : fs::weakly_canonical(data, error);
      const auto differ = std::mismatch(home.begin(), home.end(), target.begin(), target.end());
      if (error || named.is_absolute() || differ.first != home.end())
      {
        throw FileError(path + ": the data file " + shown(header.dataFile) +
          " is not in the header's folder; reading it has to be allowed (AllowDataFileElsewhere)");
      }
    }
    voxels.path = data.u8string();
    voxels.offset = 0;
    const Index dataLength = fileLength(voxels.path);
    static_cast<void>(dataLength);
  }
  if (header.lineSkip > 0)
  {
    voxels.offset = skipLines(voxels.path, voxels.offset, header.lineSkip);
  }
  if (header.byteSkip > 0)
  {
    if (header.encoding == Encoding::Gzip)
    {
      voxels.decodedSkip = header.byteSkip; // counted after decompression
    }
    else if (header.byteSkip > fileLength(voxels.path) - voxels.offset)
    {
      throw FileError(path + ": 'byte skip' of " + std::to_string(header.byteSkip) +
        " found, which is beyond the end of the data file");
    }
    else
    {
      voxels.offset += header.byteSkip;
    }
  }
  voxels.check();
  if (header.byteSkip == -1)
  {
    if (header.encoding != Encoding::Raw)
    {
      throw FileError(path + ": 'byte skip: -1' found, which is for raw encoding only");
    }
    voxels.offset = fileLength(voxels.path) - voxels.decodedBytes();
  }
  return volume;
}

//----------------------------------------------------------------------------
std::string NrrdHeader::toText() const
{
  if (this->sizes.empty() ||
    (!this->spaceDirections.empty() &&
      (this->spaceDirections.size() != this->sizes.size() || this->space.empty())) ||
    (!this->kinds.empty() && this->kinds.size() != this->sizes.size()))
  {
    throw std::invalid_argument(
      "NrrdHeader::toText: sizes, space, directions or kinds do not agree");
  }
  const auto vectorText = [](const std::vector<double>& vector)
  {
    std::string text;
    for (const double value : vector)
    {
      text += (text.empty() ? "(" : ",") + realToText(value);
    }
    return text.empty() ? std::string("none") : text + ")";
  };
  std::string text = "NRRD0004\n"
                     "# Complete NRRD file format specification at:\n"
                     "# http://teem.sourceforge.net/nrrd/format.html\n";
  text += std::string("type: ") + scalarTypeName(this->scalarType) + "\n";
  text += "dimension: " + std::to_string(this->sizes.size()) + "\n";
  if (!this->space.empty())
  {
    text += "space: " + this->space + "\n";
  }
  text += "sizes:";
  for (const Index size : this->sizes)
  {
    text += " " + std::to_string(size);
  }
  text += "\n";
  if (!this->spaceDirections.empty())
  {
    text += "space directions:";
    for (const auto& vector : this->spaceDirections)
    {
      text += " " + vectorText(vector);
    }
    text += "\n";
  }
  if (!this->kinds.empty())
  {
    text += "kinds:";
    for (const std::string& name : this->kinds)
    {
      text += " " + name;
    }
    text += "\n";
  }
  text += this->littleEndian ? "endian: little\n" : "endian: big\n";
  text += this->encoding == Encoding::Gzip ? "encoding: gzip\n"
    : this->encoding == Encoding::Raw      ? "encoding: raw\n"
                                           : "encoding: text\n";
  if (!this->spaceOrigin.empty())
  {
    text += "space origin: " + vectorText(this->spaceOrigin) + "\n";
  }
  if (!this->dataFile.empty())
  {
    text += "data file: " + this->dataFile + "\n";
  }
  for (const auto& pair : this->keyValues)
  {
    text += escaped(pair.first) + ":=" + escaped(pair.second) + "\n";
  }
  if (this->dataFile.empty())
  {
    text += "\n";
  }
  return text;
}

} // namespace segcore

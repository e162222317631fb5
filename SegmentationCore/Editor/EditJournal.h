// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// The journal of an editing session: a text file with one JSON object per line.
///
///     {"format": "segmentationcore-journal", "version": 1, ...}     what it was recorded on
///     {"apply": {"effect": "threshold", "segment": "pores", ...}}   an operation
///     {"undo": true}                                                the last one was taken back
///     {"redo": true}
///
/// A line is written and handed to the operating system as soon as its operation is complete, so a
/// process that dies loses nothing that was. Bytes after the last line end are what a dying process
/// had begun: they are left out when reading, and cut off when the journal is continued. Any other
/// line that is not as above is an error that names it: a journal is never half read.
///
/// Private to the editor. Not for several ranks: one rank reads and writes.
#ifndef segcore_EditJournal_h
#define segcore_EditJournal_h

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace segcore
{

/// What a journal says.
struct JournalContent
{
  std::string header;                  ///< the first line
  std::vector<std::string> operations; ///< those that hold, undone ones left out, as JSON
  std::vector<std::string> redo;       ///< undone ones that can be redone, the next one last
  std::int64_t bytes = 0;              ///< of complete lines
  bool torn = false;                   ///< whether bytes of an incomplete line follow
};

/// Throws std::runtime_error that begins with the path.
JournalContent readJournal(const std::string& path);

/// The lines of a journal with these operations, and undone ones that can be redone (the next one
/// last).
std::string journalText(const std::string& header, const std::vector<std::string>& operations,
  const std::vector<std::string>& redo);

/// Writes a whole file aside, flushes it to the disk, and renames it. Throws std::runtime_error.
void replaceFile(const std::string& path, const std::string& text);

/// Adds lines to a journal.
class JournalWriter
{
public:
  /// Opens and locks a journal: two sessions would mix their lines. Changes nothing yet.
  explicit JournalWriter(const std::string& path);
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  void operator=(const JournalWriter&) = delete;

  const std::string& path() const { return this->Path; }

  /// Goes on after `bytes` of complete lines; what follows is cut off. To be called once.
  void continueAfter(std::int64_t bytes);

  /// Writes a line and hands it to the operating system. If that fails the journal is as before.
  void append(const std::string& line);
  void appendOperation(const std::string& json) { this->append("{\"apply\": " + json + "}"); }

private:
  [[noreturn]] void fail(const std::string& what) const;

  std::string Path;
  int File = -1;
  std::int64_t Bytes = 0;
};

} // namespace segcore

#endif

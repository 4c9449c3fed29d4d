#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

// What the process returns; docs/command_line.md lists them for users.
enum class ExitCode {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,       // command line or config
  kData = 3,        // data missing or corrupt
  kDiverged = 4,    // the loss is not finite
  kCheckpoint = 5,  // no usable checkpoint, or resume refused
  kPlugin = 6,      // plug-in refused
  kInternal = 70,
  kStopped = 75,  // SIGUSR1 or --stop-after; resumable, as are the two below
  kInterrupted = 130,
  kTerminated = 143,
};

// The one exception of this library: a whole message for the user and the exit code that goes with
// it.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message, int system_code = 0);
  ~Error() override;
  ExitCode code() const { return code_; }
  // The errno of the call to the system that failed; 0 where none did. What could not be read is
  // neither damaged nor gone.
  int system_code() const { return system_code_; }

 private:
  ExitCode code_;
  int system_code_;
};

// Throws Error(kData) "NAME: PROBLEM", with the name of a file, or of a place in one, escaped.
[[noreturn]] void refuse_data(std::string_view name, const std::string& problem);

// Whether memory ran out, which libtorch has no exception of its own for on the CPU.
bool is_out_of_memory(const std::exception& error);

// `text` with control characters (C0, DEL, C1, bidirectional marks) and bytes that are not UTF-8
// written as escapes, so that a string from a file cannot steer a terminal.
std::string escape(std::string_view text);

// Escapes a text of several lines, which stay lines.
std::string escape_lines(std::string_view text);

// "'a word'" where a shell would take it apart.
std::string shell_word(const std::string& word);

bool is_utf8(std::string_view text);

// Letters that differ, regardless of case: left out, put in, replaced, or swapped with a neighbour
// (Damerau and Levenshtein).
size_t edit_distance(std::string_view a, std::string_view b);

// The up to three candidates that a person may have meant by `name`, nearest first, as "a, b";
// empty when none is near.
std::string nearest_names(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace vitrine

#include "framework/training/run_log.h"

#include <utility>

#include "framework/runs/environment.h"

namespace vitrine {

void RunLog::open(const Place& file) {
  try {
    file_.emplace(file);
  } catch (const Error& error) {
    is_broken_ = true;
    observer_.warning(std::string(error.what()) + "; nothing is logged");
  }
  append(std::exchange(waiting_, ""));
}

void RunLog::append(const std::string& text) {
  if (is_broken_) return;
  try {
    file_->append(text);
  } catch (const Error& error) {
    is_broken_ = true;
    observer_.warning(std::string(error.what()) + "; nothing more is logged");
  }
}

void RunLog::write(const std::string& text) {
  const std::string line = utc_now() + " " + escape_lines(text) + "\n";
  if (file_ || is_broken_) {
    append(line);
  } else {
    waiting_ += line;
  }
}

void RunLog::message(const std::string& text) {
  write(text);
  observer_.message(text);
}

void RunLog::warning(const std::string& text) {
  write("warning: " + text);
  observer_.warning(text);
}

}  // namespace vitrine

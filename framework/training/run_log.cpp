#include "framework/training/run_log.h"

#include "framework/runs/environment.h"

namespace vitrine {

void RunLog::open(const std::filesystem::path& file) {
  file_.emplace(file);
  file_->append(waiting_);
  waiting_.clear();
}

void RunLog::write(const std::string& text) {
  const std::string line = utc_now() + " " + escape_lines(text) + "\n";
  if (file_) {
    file_->append(line);
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

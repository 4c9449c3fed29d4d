#pragma once

#include <optional>

#include "framework/engine/engine.h"
#include "framework/files/file.h"

namespace vitrine {

// Passes everything on to the observer and keeps messages and warnings in the run's log.txt, each
// with the time; what came before the run had a folder is written when it has one. A log that
// cannot be written is warned of once and then done without: it never stands in the way of a run.
class RunLog : public Observer {
 public:
  explicit RunLog(Observer& observer) : observer_(observer) {}
  void open(const Place& file);

  void message(const std::string& text) override;
  void warning(const std::string& text) override;
  void progress(const Progress& progress) override { observer_.progress(progress); }
  void download(uint64_t received, uint64_t total) override { observer_.download(received, total); }
  void reading(int64_t images, int64_t all) override { observer_.reading(images, all); }
  ExitCode stop_requested() override { return observer_.stop_requested(); }

  void write(const std::string& text);  // to the file alone

 private:
  void append(const std::string& text);

  Observer& observer_;
  std::string waiting_;
  bool is_broken_ = false;
  std::optional<AppendFile> file_;
};

}  // namespace vitrine

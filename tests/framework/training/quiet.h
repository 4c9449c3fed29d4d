#pragma once

#include "framework/engine/engine.h"

namespace vitrine {

// Hears nothing and never stops a run.
class Quiet : public Observer {
 public:
  void message(const std::string&) override {}
  void warning(const std::string&) override {}
  void progress(const Progress&) override {}
  void download(uint64_t, uint64_t) override {}
  ExitCode stop_requested() override { return ExitCode::kDone; }
};

}  // namespace vitrine

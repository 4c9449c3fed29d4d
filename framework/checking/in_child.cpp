#include "framework/checking/in_child.h"

#include <cerrno>

#include "framework/error.h"
#include "framework/files/descriptor.h"
#include "framework/files/forked.h"

namespace vitrine {
namespace {

constexpr int kMostSeconds = 120;

// The kind as a letter, then the words.
std::string text_of(const Finding& finding) {
  return static_cast<char>('0' + static_cast<int>(finding.kind)) + finding.words;
}

Finding finding_of(const std::string& text) {
  return {"", static_cast<Finding::Kind>(text[0] - '0'), text.substr(1)};
}

constexpr char kNoTrial = '!';  // begins why nothing can be tried here, which is no finding

std::string report_of(const std::function<Finding()>& act) try {
  return text_of(act());
} catch (const Error& error) {
  const bool is_of_disk = error.system_code() == ENOSPC || error.system_code() == EDQUOT;
  return is_of_disk ? kNoTrial + std::string(error.what()) : text_of(Finding::fault(error.what()));
} catch (const std::exception& error) {
  return text_of(Finding::fault(error.what()));
} catch (...) {
  return text_of(Finding::fault("an exception that is no std::exception"));
}

}  // namespace

Finding in_child(const std::function<Finding()>& act) {
  const Forked left = run_forked("cannot try a component", kMostSeconds,
                                 [&](int report) { write_all(report, report_of(act)); });
  if (left.text.starts_with(kNoTrial)) throw Error(ExitCode::kFailed, left.text.substr(1));
  return left.text.empty() ? Finding::fault("it " + left.ending(/*is_plural=*/false))
                           : finding_of(left.text);
}

}  // namespace vitrine

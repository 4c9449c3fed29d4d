#include "framework/checking/in_child.h"

#include <malloc.h>
#include <stdlib.h>

#include <cerrno>

#include "framework/error.h"
#include "framework/files/descriptor.h"
#include "framework/files/forked.h"
#include "framework/registry/crash.h"

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

// Begins the text of a fault.
constexpr char kFault[] = {static_cast<char>('0' + static_cast<int>(Finding::Kind::kFault)), 0};
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

// Differs from process to process in what no result may depend on: numbers of rand(), and what lies
// in memory that nobody has written.
void vary(int number) {
  srand(static_cast<unsigned>(number));
  mallopt(M_PERTURB, number % 254 + 1);
}

}  // namespace

Finding in_child(const std::function<Finding()>& act) {
  static int number = 0;
  ++number;
  const Forked left = run_forked("cannot try a component", kMostSeconds, [&](int report) {
    vary(number);
    tell_crashes(report, kFault, "");
    write_all(report, report_of(act));
  });
  if (left.text.starts_with(kNoTrial)) throw Error(ExitCode::kFailed, left.text.substr(1));
  return left.text.empty() ? Finding::fault("it " + left.ending(/*is_plural=*/false))
                           : finding_of(left.text);
}

}  // namespace vitrine

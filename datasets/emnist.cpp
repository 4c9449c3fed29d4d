#include "datasets/mnist_like.h"
#include "framework/registry/register.h"

// EMNIST (Cohen et al. 2017, nist.gov/itl/products-and-services/emnist-dataset): handwritten digits
// and letters, 28 x 28 grey, in six splits of their own classes. Its files hold each image
// transposed; `letters` counts its labels from 1.
namespace vitrine {
namespace {

struct EmnistSplit {
  const char* name;
  int64_t train, test;
  const char* classes;  // one character each
};

constexpr const char* kMerged = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt";
constexpr EmnistSplit kSplits[] = {
    {"balanced", 112'800, 18'800, kMerged},
    {"byclass", 697'932, 116'323, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"},
    {"bymerge", 697'932, 116'323, kMerged},
    {"digits", 240'000, 40'000, "0123456789"},
    {"letters", 124'800, 20'800, "abcdefghijklmnopqrstuvwxyz"},
    {"mnist", 60'000, 10'000, "0123456789"}};

KnownIdxSet emnist(const std::string& name) {
  KnownIdxSet out = mnist_like("EMNIST", "emnist", "EMNIST", {});
  out.inner.insert(out.inner.end(), {"gzip", "emnist_source_files", "EMNIST/raw/gzip"});
  out.is_transposed = true;
  out.first_label = name == "letters" ? 1 : 0;
  for (const EmnistSplit& split : kSplits) {
    if (split.name != name) continue;
    for (const char* c = split.classes; *c != '\0'; ++c) out.classes.emplace_back(1, *c);
    out.train = split.train;
    out.test = split.test;
  }
  const std::string begin = "emnist-" + name;
  out.files = {idx_file(begin + "-train-images-idx3-ubyte", {out.train, 28, 28}),
               idx_file(begin + "-train-labels-idx1-ubyte", {out.train}),
               idx_file(begin + "-test-images-idx3-ubyte", {out.test, 28, 28}),
               idx_file(begin + "-test-labels-idx1-ubyte", {out.test})};
  out.mirrors = {"https://biometrics.nist.gov/cs_links/EMNIST/",
                 "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/"};
  out.archive = {"gzip.zip",
                 "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
                 600 << 20,
                 {"emnist-"}};
  out.near_misses = {
      {begin + "-train.csv", "read it as dataset: {type: csv, train: ..., test: ...}"},
      {"matlab.zip", "the version for MATLAB is not read; gzip.zip has the files"},
      {"archive.zip", "unpack it"}};
  return out;
}

struct Options : KnownOptions {
  Options() : KnownOptions(emnist("balanced")) {}

  std::string split = "balanced";

  void visit(Fields& field) {
    KnownOptions::visit(field);
    field("split", split, "which of its splits, each with classes of its own",
          one_of({"balanced", "byclass", "bymerge", "digits", "letters", "mnist"}))
        .words({"subset", "variant"});
  }
};

class Emnist : public KnownIdx {
 public:
  Emnist(const Options& options, const DataContext& context)
      : KnownIdx(emnist(options.split), options, context) {}
};

VITRINE_REGISTER(Dataset, Emnist, Options,
                 "handwritten digits and letters, 28 x 28 grey; downloaded where no folder has "
                 "them")

}  // namespace
}  // namespace vitrine

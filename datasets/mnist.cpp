#include "datasets/mnist_like.h"
#include "framework/registry/register.h"

// MNIST, by Yann LeCun and Corinna Cortes: 60,000 and 10,000 grey images of 28 x 28 pixels of
// handwritten digits, in the four IDX files of yann.lecun.com/exdb/mnist.
namespace vitrine {
namespace {

KnownIdxSet mnist() {
  KnownIdxSet out = mnist_like("MNIST", "mnist", "MNIST", digit_names());
  out.mirrors = {"https://ossci-datasets.s3.amazonaws.com/mnist/",
                 "https://storage.googleapis.com/cvdf-datasets/mnist/"};
  for (size_t i = 0; i < out.files.size(); ++i) {
    out.files[i].digest = kMnistSha256[i];
    out.files[i].check = [](std::string_view bytes, const std::string& name) {
      parse_idx(bytes, name);  // of any shape: the digest says the rest
    };
  }
  out.near_misses = {{"mnist.npz", "read it as dataset: {type: npz, path: .../mnist.npz}"},
                     {"mnist_train.csv", "read it as dataset: {type: csv, train: ..., test: ...}"},
                     {"archive.zip", "unpack it"}};
  return out;
}

struct Options : KnownOptions {
  Options() : KnownOptions(mnist()) {}
};

class Mnist : public KnownIdx {
 public:
  Mnist(const Options& options, const DataContext& context) : KnownIdx(mnist(), options, context) {}
};

VITRINE_REGISTER(Dataset, Mnist, Options,
                 "handwritten digits, 28 x 28 grey; downloaded where no folder has them")

}  // namespace
}  // namespace vitrine

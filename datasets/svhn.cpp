#include "datasets/known_dataset.h"
#include "datasets/svhn_split.h"
#include "framework/registry/register.h"

// SVHN (Netzer et al. 2011, ufldl.stanford.edu/housenumbers), cropped: 73,257 and 26,032 photos of
// digits of house numbers, 32 x 32 pixels of colour.
namespace vitrine {
namespace {

constexpr int64_t kTrain = 73'257, kTest = 26'032;

KnownFile svhn_file(const std::string& name, const std::string& sha256) {
  KnownFile out;
  out.name = name;
  out.most = 256 << 20;
  out.digest = sha256;
  return out;
}

KnownSet svhn() {
  KnownSet out;
  out.title = "SVHN";
  out.folder = "svhn";
  out.inner = {"SVHN"};
  out.files = {svhn_file("train_32x32.mat",
                         "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
               svhn_file("test_32x32.mat",
                         "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b")};
  out.mirrors = {"https://ufldl.stanford.edu/housenumbers/"};
  out.near_misses = {
      {"train.tar.gz", "that has whole house numbers; the digits are in train_32x32.mat"}};
  return out;
}

struct Options : KnownOptions {
  Options() : KnownOptions(svhn()) {}
};

class Svhn : public KnownDataset {
 public:
  Svhn(const Options& options, const DataContext& context)
      : KnownDataset(svhn(), options, context) {}

  DatasetInfo info() const override {
    DatasetInfo out{
        3, 32, 32, class_column({"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}), kTrain, kTest};
    out.flips_change_classes = true;
    return out;
  }
  Split load_train() override { return load(0, kTrain); }
  Split load_test() override { return load(1, kTest); }

 private:
  Split load(size_t file, int64_t images) {
    find();
    return svhn_split(read(file), images, path_of(file).string());
  }
};

VITRINE_REGISTER(Dataset, Svhn, Options,
                 "digits of house numbers, 32 x 32 colour; downloaded where no folder has them")

}  // namespace
}  // namespace vitrine

#include "datasets/known_dataset.h"
#include "datasets/svhn_split.h"
#include "framework/registry/register.h"

// SVHN (Netzer et al. 2011, ufldl.stanford.edu/housenumbers), cropped: 73,257 and 26,032 photos of
// digits of house numbers, 32 x 32 pixels of colour.
namespace vitrine {
namespace {

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

class Svhn : public KnownDigits {
 public:
  Svhn(const Options& options, const DataContext& context)
      : KnownDigits(svhn(), {3, 32, 32, {}, 73'257, 26'032}, options, context) {}

 private:
  Split parse(std::string_view bytes, int64_t images, const std::string& name) const override {
    return svhn_split(bytes, images, name);
  }
};

VITRINE_REGISTER(Dataset, Svhn, Options,
                 "digits of house numbers, 32 x 32 colour; downloaded where no folder has them")

}  // namespace
}  // namespace vitrine

#pragma once

#include "datasets/known_idx.h"

// Data sets in the four files of MNIST: names, shapes and folders that they have in common.
namespace vitrine {

// MNIST's own digests.
inline constexpr const char* kMnistSha256[] = {
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"};

// `folder` is this program's, `torchvision` that which torchvision makes.
inline KnownIdxSet mnist_like(const std::string& title, const std::string& folder,
                              const std::string& torchvision,
                              const std::vector<std::string>& classes) {
  KnownIdxSet out;
  out.title = title;
  out.folder = folder;
  out.inner = {kRaw, torchvision, torchvision + "/raw"};
  out.classes = classes;
  out.train = 60'000;
  out.test = 10'000;
  out.files = {idx_file("train-images-idx3-ubyte", {60'000, 28, 28}),
               idx_file("train-labels-idx1-ubyte", {60'000}),
               idx_file("t10k-images-idx3-ubyte", {10'000, 28, 28}),
               idx_file("t10k-labels-idx1-ubyte", {10'000})};
  return out;
}

// The same of a set whose files are published by these SHA-256 of the .gz, and which is not MNIST.
inline KnownIdxSet mnist_like(const std::string& title, const std::string& folder,
                              const std::string& torchvision,
                              const std::vector<std::string>& classes,
                              const std::vector<std::string>& published) {
  KnownIdxSet out = mnist_like(title, folder, torchvision, classes);
  out.own_names = false;
  for (size_t i = 0; i < out.files.size(); ++i) {
    out.files[i].published = published[i];
    out.files[i].others = {{kMnistSha256[i], "MNIST"}};
  }
  return out;
}

}  // namespace vitrine

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/files/sha256.h"
#include "framework/images/image.h"

namespace vitrine {

struct ImageSize {
  int64_t channels = 0, height = 0, width = 0;
};

// Images that are read one by one, by their numbers from 0 on.
class ImageSource {
 public:
  virtual ~ImageSource() = default;

  virtual int64_t size() const = 0;
  // Of the channels that the data set tells. Called on several threads at once. Throws Error(kData)
  // where the image is missing or broken.
  virtual Image read(int64_t number) const = 0;
  // Of its file, where an image has one of its own; else empty.
  virtual std::string path(int64_t /*number*/) const { return ""; }
  // What messages and tables call an image: its path, or "image 12".
  virtual std::string name(int64_t number) const;
  // The bytes of the image's file; 0 where that is not known unless it is read.
  virtual uint64_t stored_bytes(int64_t /*number*/) const { return 0; }
  // What tells the image from others: its file, or its sizes and pixels. Throws as read does.
  virtual std::string contents(int64_t number) const;
  // Adds what tells images of these numbers from others, without reading all of many. By default
  // their count, their size and the pixels of those in looked_at: images that are held give the
  // same digest.
  virtual void add_to(Sha256& digest, const std::vector<int64_t>& numbers) const;
  // Adds all that is in them: where images have files what add_to adds and `contents` of each, else
  // all pixels.
  virtual void add_contents(Sha256& digest, const std::vector<int64_t>& numbers) const;
};

// Some images of a source, in this order.
class PartOfSource : public ImageSource {
 public:
  PartOfSource(std::shared_ptr<const ImageSource> source, std::vector<int64_t> numbers)
      : source_(std::move(source)), numbers_(std::move(numbers)) {}

  int64_t size() const override { return std::ssize(numbers_); }
  Image read(int64_t number) const override { return source_->read(at(number)); }
  std::string path(int64_t number) const override { return source_->path(at(number)); }
  std::string name(int64_t number) const override { return source_->name(at(number)); }
  uint64_t stored_bytes(int64_t number) const override { return source_->stored_bytes(at(number)); }
  std::string contents(int64_t number) const override { return source_->contents(at(number)); }
  void add_to(Sha256& digest, const std::vector<int64_t>& numbers) const override {
    source_->add_to(digest, at(numbers));
  }
  void add_contents(Sha256& digest, const std::vector<int64_t>& numbers) const override {
    source_->add_contents(digest, at(numbers));
  }

 private:
  int64_t at(int64_t number) const { return numbers_.at(static_cast<size_t>(number)); }
  std::vector<int64_t> at(const std::vector<int64_t>& numbers) const;

  std::shared_ptr<const ImageSource> source_;
  std::vector<int64_t> numbers_;
};

// Which of so many images, of so many bytes each, are looked at to tell them from others: all where
// they take at most 256 MiB, else some that are evenly spaced, the first and the last among them,
// which take about 32 MiB.
std::vector<int64_t> looked_at(int64_t count, int64_t bytes);

}  // namespace vitrine

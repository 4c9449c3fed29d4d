#include "framework/images/image_files.h"

#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

// A folder with images, and what is none.
class Photos : public TemporaryFolder {
 public:
  Photos() {
    for (const char* folder : {"b", "b/c", ".hidden", "empty"})
      fs::create_directory(*this / folder);
    for (const char* file : {"b/2.JPG", "b/10.png", "b/c/1.webp", "a.jpeg", "notes.txt",
                             "b/._2.jpg", ".hidden/x.png", "x[1].png"}) {
      write_plain(*this / file, "");
    }
  }

  Names names(const std::string& path) const {
    Names out;
    for (const std::string& file : image_files((*this / path).string()))
      out.push_back(fs::path(file).lexically_relative(this->path()).string());
    return out;
  }
};

TEST_CASE("image files: those of a folder and below, in order") {
  const Photos photos;
  CHECK(photos.names("") == Names{"a.jpeg", "b/10.png", "b/2.JPG", "b/c/1.webp", "x[1].png"});
  CHECK(photos.names("b/c") == Names{"b/c/1.webp"});
}

TEST_CASE("image files: those that fit a pattern") {
  const Photos photos;
  CHECK(photos.names("b/*.png") == Names{"b/10.png"});
  CHECK(photos.names("*/[0-9]*.*") == Names{"b/10.png", "b/2.JPG"});
  CHECK(photos.names("b/?") == Names{"b/c/1.webp"});     // the folder's
  CHECK(photos.names("x[1].png") == Names{"x[1].png"});  // a file that is called so
}

TEST_CASE("image files: any other path is itself") {
  CHECK(image_files("none.png") == Names{"none.png"});
  CHECK(image_files("-") == Names{"-"});
}

TEST_CASE("image files: a folder or pattern without images is told") {
  const Photos photos;
  const auto message = [&](const std::string& path) {
    return message_of(ExitCode::kData, [&] { photos.names(path); });
  };
  CHECK(message("empty") == (photos / "empty").string() +
                                ": a folder without images: no .jpg, .jpeg, .png or .webp is in it "
                                "or below");
  CHECK(message("*.gif") == (photos / "*.gif").string() + ": no file has such a name");
}

}  // namespace
}  // namespace vitrine

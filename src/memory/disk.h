// Files as this module needs them: written at an offset so that a repeat is harmless, synced, and
// every failure told with the path and the system's reason. A failed write or sync is unavailable
// and retryable: a disk may be given room again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/result.h"

namespace payops::disk {

// One descriptor, closed with it.
class File {
 public:
  File() = default;
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File() { close(); }

  // Errors: unavailable.
  [[nodiscard]] static Result<File> open_or_create(const std::string& path);
  // Errors: not_found.
  [[nodiscard]] static Result<File> open_to_read(const std::string& path);

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Result<uint64_t> size() const;
  [[nodiscard]] Status write_at(uint64_t offset, std::string_view bytes);
  // Up to `length` bytes; fewer only at the end of the file.
  [[nodiscard]] Result<std::string> read_at(uint64_t offset, std::size_t length) const;
  [[nodiscard]] Status truncate(uint64_t size);
  [[nodiscard]] Status sync();
  void close();

 private:
  friend class DirectoryLock;
  [[nodiscard]] Status failed(const char* what) const;
  int fd_ = -1;
  std::string path_;
};

// Holds a directory for this process by a locked file in it that names the process. Let go of, the
// file is empty: what a run leaves behind does not depend on who ran it. The file itself stays,
// since a lock on a removed file would keep nobody out.
class DirectoryLock {
 public:
  DirectoryLock() = default;
  DirectoryLock(DirectoryLock&&) noexcept = default;
  DirectoryLock& operator=(DirectoryLock&&) noexcept = default;
  ~DirectoryLock();

  // Errors: unavailable, retryable, naming the process that holds it; `advice` ends the sentence.
  [[nodiscard]] static Result<DirectoryLock> take(const std::string& directory,
                                                  const std::string& file,
                                                  const std::string& advice);
  // Whether a process holds it now.
  [[nodiscard]] static bool held(const std::string& directory, const std::string& file);

 private:
  File file_;
};

[[nodiscard]] Status make_directories(const std::string& directory);
[[nodiscard]] Status sync_directory(const std::string& directory);
// The whole file at once or not at all, also when the power goes in between. The directory is not
// synced: afterwards the old or the new file may be there.
[[nodiscard]] Status replace_file(const std::string& path, std::string_view bytes, bool sync);
// The names in the directory that begin and end so, sorted. Errors: not_found.
[[nodiscard]] Result<std::vector<std::string>> list(const std::string& directory,
                                                    std::string_view prefix,
                                                    std::string_view suffix);

}  // namespace payops::disk

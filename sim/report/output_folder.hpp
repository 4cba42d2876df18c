#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace switchyard {

/// A file to be written: its plain name in the folder, and what puts its contents into a stream.
struct OutputFile {
  std::string name;
  std::function<void(std::ostream&)> write;
};

/// Finds out before long work whether write_files_atomically() could create or use `folder`;
/// creates nothing. @throws ConfigError with the path and the reason.
void check_output_folder(const std::filesystem::path& folder);

/// Writes files into `folder`, which is created when missing; files of these names are replaced.
///
/// All are first written completely, to disk, under no name or a hidden one (".<name>.<pid>.tmp"),
/// and only then renamed: no name ever shows half a file, and when anything fails before that
/// (disk full, `write` throws, the program is stopped) the folder is as it was. Interrupts wait
/// during the renaming. A process killed where the file system has no nameless files (O_TMPFILE)
/// can leave a hidden file behind.
///
/// @throws ConfigError with the path and the reason; whatever `write` throws.
/// Precondition: names are not empty and have no '/' (checked).
void write_files_atomically(const std::filesystem::path& folder,
                            const std::vector<OutputFile>& files);

}  // namespace switchyard

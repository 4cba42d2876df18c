#include "kernels/run/written_file.hpp"

#include <cstdio>
#include <fstream>

#include "kernels/run/key_table.hpp"

namespace switchyard::kernels {

void write_whole_file(const std::string& file, std::string_view content) {
  const std::string beside = file + ".part";
  std::ofstream stream{beside, std::ios::binary};
  stream.write(content.data(), static_cast<std::streamsize>(content.size()));
  stream.close();
  if (!stream || std::rename(beside.c_str(), file.c_str()) != 0) {
    std::remove(beside.c_str());
    throw KeyFileError{file + ": cannot be written"};
  }
}

}  // namespace switchyard::kernels

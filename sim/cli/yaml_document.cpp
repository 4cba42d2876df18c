#include "sim/cli/yaml_document.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <istream>
#include <memory>
#include <optional>
#include <streambuf>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "sim/cli/utf8.hpp"
#include "sim/cli/yaml_tree_builder.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{16} << 20;

/// Lets yaml-cpp read text in place.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string& text) {
    setg(text.data(), text.data(), text.data() + text.size());
  }
};

Place place_at(const std::shared_ptr<const Source>& source, std::string_view text,
               std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {.source = source,
          .line = 1 + static_cast<int>(std::ranges::count(before, '\n')),
          .column = 1 + static_cast<int>(offset - line_start)};
}

/// `text` with every line end as LF, the last line's too, and without a byte order mark.
std::string with_plain_line_ends(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r')
      result += text[i];
    else if (i + 1 == text.size() || text[i + 1] != '\n')
      result += '\n';
  }
  if (!result.empty() && result.back() != '\n') result += '\n';
  return result;
}

/// yaml-cpp's wording, or a plainer one where it would puzzle who does not know its scanner.
std::string_view plain_words(std::string_view message) {
  const std::pair<std::string_view, std::string_view> words[] = {
      {YAML::ErrorMsg::UNKNOWN_ANCHOR,
       "aliases are not accepted; write the value out, or put text with a * in quotes"},
      {YAML::ErrorMsg::END_OF_MAP, "expected another key here"},
      {YAML::ErrorMsg::END_OF_SEQ, "expected another \"- item\" here"},
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "expected \",\" or \"}\""},
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "expected \",\" or \"]\""},
      {YAML::ErrorMsg::FLOW_END, "a closing bracket without its opening one"},
      {YAML::ErrorMsg::EOF_IN_SCALAR, "a quote is never closed"},
      {YAML::ErrorMsg::MAP_VALUE,
       "no key can be here; check the indentation, or put text with \": \" in quotes"},
      {YAML::ErrorMsg::UNKNOWN_TOKEN, "nothing can start with this character; put text in quotes"},
  };
  for (const auto& [theirs, ours] : words)
    if (message == theirs) return ours;
  return message;
}

/// The offset of a tab in the indentation of the line that `offset` is on.
std::optional<std::size_t> indenting_tab(std::string_view text, std::size_t offset) {
  const auto line_start = text.substr(0, offset).rfind('\n') + 1;  // npos + 1 is 0
  const auto first_other = std::min(text.find_first_not_of(" \t", line_start), text.size());
  const auto tab = text.find('\t', line_start);
  return tab < first_other ? std::optional{tab} : std::nullopt;
}

/// yaml-cpp holds some 200 bytes for each bracket it has not seen closed, before we see the first.
std::optional<std::size_t> hopeless_nesting(std::string_view text) {
  constexpr int kMaxOpen = 10'000;  // far above the depth limit, for text may hold brackets too
  int num_open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[' || text[i] == '{') ++num_open;
    if (text[i] == ']' || text[i] == '}') num_open = std::max(num_open - 1, 0);
    if (num_open > kMaxOpen) return i;
  }
  return std::nullopt;
}

/// What no parser should see. True when there is none.
bool is_readable(const std::string& text, const std::shared_ptr<const Source>& source,
                 Diagnostics& diagnostics) {
  if (const auto bad = find_unreadable_character(text)) {
    diagnostics.add(place_at(source, text, bad->offset), "", bad->problem);
    return false;
  }
  if (const auto offset = hopeless_nesting(text)) {
    diagnostics.add(place_at(source, text, *offset), "", "too many brackets are open here");
    return false;
  }
  return true;
}

void add_syntax_error(const YAML::Exception& error, const YamlTreeBuilder& builder,
                      const std::shared_ptr<const Source>& source, const std::string& text,
                      Diagnostics& diagnostics) {
  const std::size_t offset =
      std::min(static_cast<std::size_t>(std::max(error.mark.pos, 0)), text.size());
  if (const auto tab = indenting_tab(text, offset))
    diagnostics.add(place_at(source, text, *tab), "", "a tab; indent with spaces");
  else
    diagnostics.add(builder.place(error.mark), builder.path(), plain_words(error.msg));
}

YamlNode parse(std::string_view bytes, const std::shared_ptr<const Source>& source,
               Diagnostics& diagnostics) {
  YamlNode nothing{YamlNode::Kind::kNothing, {.source = source}};
  std::string text = with_plain_line_ends(bytes);
  if (!is_readable(text, source, diagnostics)) return nothing;
  YamlTreeBuilder builder{text, source, diagnostics};
  const std::size_t num_problems = diagnostics.count();
  try {
    TextBuffer buffer{text};
    std::istream stream{&buffer};
    YAML::Parser parser{stream};
    if (!parser.HandleNextDocument(builder) && source->has_lines)
      diagnostics.add(nothing.place, "", "the file is empty; expected keys and values");
    while (parser.HandleNextDocument(builder)) {
    }
    if (!source->has_lines && builder.first_block())
      diagnostics.add(*builder.first_block(), "",
                      "expected a list in brackets, a mapping in braces or text in quotes");
  } catch (const YAML::Exception& error) {
    add_syntax_error(error, builder, source, text, diagnostics);
  } catch (const YamlTreeBuilder::Stop&) {
  }
  if (diagnostics.count() != num_problems) return nothing;
  YamlNode root = builder.take_root();
  return root.place.source == nullptr ? nothing : root;
}

[[noreturn]] void refuse_file(const std::string& name, std::string_view problem) {
  throw ConfigError(fmt::format("{}: {}", name, problem));
}

std::string read_file(const std::filesystem::path& file) {
  const std::string name = file.string();
  std::error_code status;
  if (std::filesystem::is_directory(file, status))
    refuse_file(name, "expected a YAML file, got a directory");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream{std::fopen(name.c_str(), "rb"),
                                                               std::fclose};
  if (stream == nullptr)
    refuse_file(name, errno == ENOENT ? std::string{"there is no such file"}
                                      : fmt::format("cannot be read: {}", std::strerror(errno)));
  std::string bytes;
  std::string block(std::size_t{1} << 16, '\0');
  while (const std::size_t size = std::fread(block.data(), 1, block.size(), stream.get())) {
    bytes.append(block, 0, size);
    if (bytes.size() > kMaxBytes) refuse_file(name, "expected at most 16 MiB, the file is larger");
  }
  if (std::ferror(stream.get()) != 0)
    refuse_file(name, fmt::format("cannot be read: {}", std::strerror(errno)));
  return bytes;
}

}  // namespace

YamlNode load_yaml(const std::filesystem::path& file) {
  return parse_yaml(read_file(file), file.string());
}

YamlNode parse_yaml(std::string_view text, std::string name) {
  if (text.size() > kMaxBytes) refuse_file(name, "expected at most 16 MiB, the text is larger");
  Diagnostics diagnostics;
  YamlNode root =
      parse(text, std::make_shared<Source>(Source{.name = std::move(name)}), diagnostics);
  diagnostics.throw_if_any();
  return root;
}

YamlNode parse_option_value(std::string_view text, std::string name, Diagnostics& diagnostics) {
  return parse(text, std::make_shared<Source>(Source{.name = std::move(name), .has_lines = false}),
               diagnostics);
}

}  // namespace switchyard

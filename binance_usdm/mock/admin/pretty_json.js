// Only blanks between the tokens are added: numbers and strings stay as they were sent.
function prettyJson(words) {
  try {
    JSON.parse(words);
  } catch {
    return words;
  }
  let depth = 0;
  const newLine = () => `\n${"  ".repeat(depth)}`;
  return words.replace(/("(?:[^"\\]|\\.)*")|([,:{}[\]])/g, (token, string) => {
    if (string) return string;
    if (token === ":") return ": ";
    if (token === ",") return token + newLine();
    if (token === "{" || token === "[") {
      depth += 1;
      return token + newLine();
    }
    depth -= 1;
    return newLine() + token;
  });
}

/* Colours as the system has them, or as the reader chooses. */

function themeButton() {
  const order = ["auto", "light", "dark"];
  let theme = memory.read("theme", "auto");
  const button = make("button", { type: "button", title: "colours of the page" });
  const apply = () => {
    if (theme === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", theme);
    button.textContent = "colours: " + theme;
    memory.write("theme", theme);
  };
  button.addEventListener("click", () => {
    theme = order[(order.indexOf(theme) + 1) % order.length];
    apply();
  });
  apply();
  return button;
}

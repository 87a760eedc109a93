// The lesson's own parts: its two languages, and the closed form.

function speak(language) {
  document.documentElement.lang = language;
  const button = document.getElementById("language");
  button.textContent = language === "ko" ? "English" : "한국어";
  button.lang = language === "ko" ? "en" : "ko";
}

function power(base, exponent) {
  return exponent * Math.log10(base);
}

// In float32 a number is lost below half of its smallest subnormal one, and above its largest.
function held(decades) {
  const korean = document.documentElement.lang === "ko";
  if (decades > 38.53) return korean ? "float32에서는 무한대" : "infinite in float32";
  if (decades < -45.15) return korean ? "float32에서는 정확히 0" : "exactly 0 in float32";
  return korean ? "float32가 담을 수 있음" : "held by float32";
}

function closedForm() {
  const [scale, depth] = ["closed-scale", "closed-depth"].map((id) => document.getElementById(id));
  for (const slider of [scale, depth]) slider.nextElementSibling.value = slider.value;
  const [w, L] = [Number(scale.value), Number(depth.value)];
  const [output, gradient] = [power(w, L - 1), power(w, L - 2)];
  document.getElementById("closed").textContent =
    `y: ${w}^${L - 1} = 10^${signed(output)} (${held(output)}); ∂y/∂W[1]: ${w}^${L - 2} = 10^${signed(gradient)} (${held(gradient)})`;
}

document.getElementById("language").addEventListener("click", () => {
  speak(document.documentElement.lang === "ko" ? "en" : "ko");
  closedForm();
});
for (const id of ["closed-scale", "closed-depth"]) document.getElementById(id).addEventListener("input", closedForm);
speak(navigator.language.startsWith("ko") ? "ko" : "en");
closedForm();

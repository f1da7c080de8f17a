/** A text for programs. What scrolls can be reached by the keyboard. */
export function Code({text, label, wraps = false}: {text: string; label: string; wraps?: boolean}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <section class="code" tabIndex={0} aria-label={label}>
      <pre class={wraps ? 'command' : undefined}>{text}</pre>
    </section>
  )
}

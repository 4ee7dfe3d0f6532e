// Runs in the page, beside Mermaid.

/**
 * Draws every Mermaid block in its place, set up as GitHub sets it up, only that GitHub's security level is `antiscript`: what is
 * shown is the same. Fails if a block cannot be drawn.
 */
globalThis.draw = async (theme) => {
  needEmoji()
  const { mermaid } = globalThis
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: 'strict',
    theme: theme === 'dark' ? 'dark' : 'default',
    flowchart: { diagramPadding: 48 },
    gantt: { useWidth: 1200 },
    // Round shapes are drawn with some chance in their lines: always the same, so that a picture changes only with its summary.
    handDrawnSeed: 1,
  })
  // Diagrams are measured while they are drawn: in a place where there is room, and not within a fold that is closed.
  const desk = document.createElement('div')
  desk.style.width = '1600px'
  document.body.append(desk)
  for (const [index, code] of document.querySelectorAll('code.language-mermaid').entries()) {
    // Of a diagram that is too long Mermaid draws one that says so.
    if (code.textContent.length > 50_000) throw new Error(`diagram ${index + 1} is too long for Mermaid`)
    const { svg } = await mermaid.render(`diagram-${index}`, code.textContent, desk).catch((cause) => {
      throw new Error(`diagram ${index + 1} cannot be drawn: ${cause.message}\n${code.textContent}`, { cause })
    })
    if (svg.includes('aria-roledescription="error"')) throw new Error(`Mermaid drew an error for diagram ${index + 1}`)
    const diagram = document.createElement('div')
    diagram.className = 'diagram'
    // On GitHub it is in a frame: the styles of the page do not reach it.
    diagram.attachShadow({ mode: 'open' }).innerHTML = svg
    code.parentElement.replaceWith(diagram)
  }
  desk.remove()
}

/** Without a font for emoji the marks of the outcomes would be outlines or boxes: they have no colours. */
function needEmoji() {
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  pen.font = '24px sans-serif'
  pen.fillText('❌', 0, 24)
  const { data } = pen.getImageData(0, 0, 32, 32)
  if (data.every((value, at) => at % 4 !== 0 || value === data[at + 1])) {
    throw new Error('there is no font for emoji: install one, as with apt-get install fonts-noto-color-emoji')
  }
}

// What was decided lately, and why, newest first.

function drawDecisions(status) {
  const make = () => el('li', {}, el('time'), el('i', { class: 'dot' }), el('span'));
  const key = (note) => `${note.at_s} ${note.action} ${note.model}`;
  const told = status.decisions.filter((note) => note.action !== 'stay');
  keyed(byId('decisions'), told, key, make, (node, note) => {
    setText(node.children[0], clock(note.at_s));
    setAttribute(node.children[1], 'data-colour', colourOf(status, note.model));
    setText(node.children[2], note.text);
  });
  show(byId('no-decisions'), !told.length);
}

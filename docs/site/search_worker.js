// A browser starts no worker by the address of a file, but one from a text.
if (location.protocol === "file:") {
  const search = SEARCH;
  const address = URL.createObjectURL(new Blob([search], { type: "text/javascript" }));
  window.Worker = class extends Worker {
    constructor() {
      super(address);
    }
  };
}

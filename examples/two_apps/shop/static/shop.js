const list = document.getElementById("products");

fetch("/api/products")
  .then((answer) => answer.json())
  .then((products) => {
    for (const [name, price] of Object.entries(products)) {
      list.append(Object.assign(document.createElement("li"), { textContent: `${name}: ${price}` }));
    }
  });

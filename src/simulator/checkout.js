// The parameters stand behind the #, which a browser sends to nobody: this hands them over.
const form = document.forms[0];
form.elements.query.value = location.hash.replace(/^#\/?\??/, "");
form.submit();

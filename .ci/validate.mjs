// Validates the packaged template offline. Errors fail, and so does W3030, a
// value that the resource does not know.
import { RegoEngine, TemplateFile } from "@aws/cloudformation-validate";

const engine = new RegoEngine();
const path = process.argv[2] ?? ".serverless/cloudformation-template-update-stack.json";
const { diagnostics } = engine.validateStandard(new TemplateFile(path));
const grave = diagnostics.filter((d) => ["ERROR", "FATAL"].includes(d.severity) || d.ruleId === "W3030");
for (const d of grave) {
  console.error(`${d.entity?.logicalId ?? path}: ${d.message} (${d.ruleId})`);
}
console.log(`${path}: ${grave.length} errors, ${diagnostics.length - grave.length} remarks`);
process.exitCode = grave.length > 0 ? 1 : 0;
engine.free();

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("V1 npm start opens VS Code for a browser on this machine only", async () => {
  const { stdout } = await promisify(execFile)("npm", ["start", "--", "--check"]);
  expect(stdout).toMatch(/http:\/\/127\.0\.0\.1:\d+\/\?tkn=[0-9a-f]{32}&/);
  expect(stdout).toContain("The page answers HTTP 200; without the token, HTTP 403.");
});

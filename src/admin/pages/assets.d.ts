// Files that wrangler.toml's [[rules]] import as text.
declare module "*.css" {
  const text: string;
  export default text;
}
declare module "*.min.js" {
  const text: string;
  export default text;
}

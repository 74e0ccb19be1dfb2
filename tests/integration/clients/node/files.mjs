// uploadFile, downloadFile: file columns, in chunks of four megabytes
import { check, client, control, holds, refused, same } from "./harness.mjs";
import { recording } from "./rows.mjs";

const api = client();
const MEGABYTE = 1024 * 1024;

function bytes(length) {
  return Uint8Array.from({ length }, (_, n) => (n * 31 + (n >> 8)) % 256);
}

async function up(key, data) {
  await api.uploadFile({ collection: "cf_recordings", key, property: "cf_media", fileName: "opname.wav", data });
}

async function roundTrip(length) {
  const [key, data] = [await recording(), bytes(length)];
  await up(key, data);
  const row = await api.retrieve({ collection: "cf_recordings", key, select: ["cf_media", "cf_media_name"] });
  holds(row.cf_media, "the column holds no file");
  same(row.cf_media_name, "opname.wav");
  const file = await api.downloadFile({ collection: "cf_recordings", key, property: "cf_media" });
  same([file.fileName, file.fileSize], ["opname.wav", length]);
  holds(Buffer.from(file.data).equals(Buffer.from(data)), "the bytes differ");
}

check("a small file is uploaded, and comes back byte for byte", () => roundTrip(1000));

check("a file of several chunks is uploaded, and comes back byte for byte", () => roundTrip(9 * MEGABYTE + 17));

check("a file is deleted", async () => {
  const key = await recording();
  await up(key, bytes(10));
  await api.deleteRecord({ collection: "cf_recordings", key, property: "cf_media" });
  same((await api.retrieve({ collection: "cf_recordings", key, select: ["cf_media"] })).cf_media, null);
  const refusal = await refused(api.downloadFile({ collection: "cf_recordings", key, property: "cf_media" }));
  same([refusal.status, refusal.code], [404, "0x80040217"]);
});

check("a server that moves no chunks refuses them", async () => {
  const key = await recording();
  await control("switches", { chunked_files: false });
  try {
    const refusal = await refused(up(key, bytes(10)));
    same(refusal.code, "0x80090017");
  } finally {
    await control("switches", { chunked_files: true });
  }
});

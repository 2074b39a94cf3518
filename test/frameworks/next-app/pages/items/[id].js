export async function getServerSideProps({ params }) {
  if (params.id === '0') throw new Error('no');
  return { props: { id: params.id } };
}
export default function Item({ id }) {
  return <p>item {id}</p>;
}
